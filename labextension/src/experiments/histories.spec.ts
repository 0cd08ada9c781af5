import { IExperiment, IRun } from '../generated/api';
import { Histories } from './histories';

const TRAIN = { id: 'e', path: 'train.ipynb' } as IExperiment;
const DRAFT = { id: 'e', experiment_id: 'e', is_editable: true, status: 'Draft' } as IRun;

function runs(count: number): IRun[] {
  return Array.from({ length: count }, (_, n) => ({ id: `r${n}`, experiment_id: 'e', is_editable: false, status: 'Finished' }) as IRun);
}

describe('histories', () => {
  it('are open for the notebook at hand, until a person says otherwise', () => {
    const histories = new Histories();
    expect([histories.isOpen(TRAIN, true), histories.isOpen(TRAIN, false)]).toEqual([true, false]);
    histories.setOpen(TRAIN, false);
    expect(histories.isOpen(TRAIN, true)).toBe(false);
    histories.setOpen(TRAIN, true);
    expect(histories.isOpen(TRAIN, false)).toBe(true);
  });

  it('are shown in pages, the draft first', () => {
    const histories = new Histories();
    expect(histories.of(TRAIN)).toBeNull();
    histories.keep(TRAIN, [DRAFT, ...runs(histories.limit(TRAIN))]);
    expect(histories.of(TRAIN)?.runs[0]).toBe(DRAFT);
    expect(histories.of(TRAIN)?.runs).toHaveLength(1 + histories.count(TRAIN));
    expect(histories.of(TRAIN)?.hasMore).toBe(true);
    histories.showMore(TRAIN);
    expect(histories.limit(TRAIN)).toBeGreaterThan(20);
    expect(histories.of(TRAIN)?.hasMore).toBe(false);
  });

  it('take news of a run where it stands, and a new one on top of the others', () => {
    const histories = new Histories();
    histories.keep(TRAIN, [DRAFT, ...runs(2)]);
    histories.put({ ...runs(1)[0], status: 'Failed' });
    histories.put({ ...runs(1)[0], id: 'new', status: 'Queued' });
    const told = histories.of(TRAIN)?.runs.map(one => `${one.id} ${one.status}`);
    expect(told).toEqual(['e Draft', 'new Queued', 'r0 Failed', 'r1 Finished']);
    histories.put({ ...runs(1)[0], experiment_id: 'unknown' });
    expect(histories.runs).toHaveLength(4);
  });

  it('are forgotten with their experiments', () => {
    const histories = new Histories();
    histories.keep(TRAIN, runs(1));
    histories.forgetOthers([{ ...TRAIN, id: 'other' }]);
    expect(histories.of(TRAIN)).toBeNull();
  });
});
