import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';

import { IRun } from '../generated/api';
import { BarContent } from './bar';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

const RUN = {
  id: '01a1fd2b0123456789abcdef01234567',
  path: 'deep/train.ipynb',
  status: 'Finished',
  created_at: '2026-01-02T03:04:05.678901Z',
  created_by: 'ada',
  executed: 'e'.repeat(64)
} as IRun;

function shown(run: IRun | null, saveAs = jest.fn()): HTMLElement {
  const host = document.body.appendChild(document.createElement('div'));
  act(() => createRoot(host).render(<BarContent run={run} fault={null} saveAs={saveAs} />));
  return host;
}

describe('the bar of a locked snapshot', () => {
  it('says that it is locked, which run it is, how it ended, when, and by whom', () => {
    expect(shown(RUN).textContent).toMatch(
      /^Locked run 01a1fd2b0123 of train.ipynb ✓ Finished 2026-01-0\d \d\d:\d\d by adaSave As…$/
    );
  });

  it('says so when there is nothing that the cells printed', () => {
    expect(shown({ ...RUN, status: 'Queued', executed: null }).textContent).toContain('by ada, as it was submitted');
  });

  it('says nothing of that where nothing was to run', () => {
    expect(shown({ ...RUN, status: 'Draft', executed: null }).textContent).toContain('by adaSave As…');
  });

  it('offers the way on', () => {
    const saveAs = jest.fn();
    const host = shown(RUN, saveAs);
    act(() => host.querySelector('button')?.click());
    expect(saveAs).toHaveBeenCalledTimes(1);
  });

  it('says that it is asking, and offers nothing meanwhile', () => {
    const host = shown(null);
    expect(host.textContent).toContain('Asking');
    expect(host.querySelector('button')).toBeNull();
  });
});
