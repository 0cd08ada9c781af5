import { ago, moment } from './time';

describe('how long ago', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  it.each([
    ['2026-01-01T11:59:58Z', 'just now'],
    ['2026-01-01T11:59:20Z', '40 s ago'],
    ['2026-01-01T11:55:00Z', '5 min ago'],
    ['2026-01-01T09:00:00Z', '3 h ago'],
    ['2026-01-01T12:00:05Z', 'just now']
  ])('%s is %s', (moment, words) => {
    expect(ago(moment, now)).toBe(words);
  });
});

describe('a moment', () => {
  it('is what a clock shows', () => {
    expect(moment(new Date(2026, 0, 2, 3, 4).toISOString())).toBe('2026-01-02 03:04');
  });
});
