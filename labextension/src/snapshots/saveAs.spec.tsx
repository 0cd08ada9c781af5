import { Notification } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';

import { IRun, ISavedAs } from '../generated/api';
import { IAround, saveAs, suggested, Swaps } from './saveAs';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

const RUN = { id: '01a1fd2b0123456789abcdef01234567', path: 'deep/train.ipynb' } as IRun;
const PLACE = { workspace: '/w', folder: 'rides' };
const MADE = { experiment: { path: 'forest.ipynb' }, swaps: [], note: '' } as unknown as ISavedAs;

class FakeRequest {
  readonly headers = { append: () => undefined, has: () => true };
  constructor(
    readonly url: string,
    readonly init: RequestInit
  ) {}
}

function around(status: number, body: unknown, asked: unknown[] = []): IAround & { open: jest.Mock } {
  const fetch = async (request: RequestInfo | URL): Promise<Response> => {
    const { url, init } = request as unknown as FakeRequest;
    asked.push([new URL(url).pathname.replace(/.*\/mlalm\//, ''), JSON.parse(String(init.body))]);
    return { ok: status === 200, status, statusText: '', json: async () => body } as Response;
  };
  const settings = ServerConnection.makeSettings({ fetch, Request: FakeRequest as unknown as typeof Request });
  return { ask: async () => ({ name: 'forest', keepVersions: true }), open: jest.fn(), settings };
}

describe('saving a snapshot as an experiment', () => {
  afterEach(() => Notification.manager.dismiss());

  it('asks for the verb and opens the new notebook', async () => {
    const asked: unknown[] = [];
    const one = around(200, { result: MADE }, asked);
    await saveAs(RUN, PLACE, one);
    expect(asked).toEqual([
      ['api/experiment/save-as', { source: `run:${RUN.id}`, name: 'forest', keep_versions: true }]
    ]);
    expect(one.open).toHaveBeenCalledWith('rides/forest.ipynb');
    expect(Notification.manager.notifications[0].message).toContain('Saved as forest.ipynb.');
  });

  it('does nothing when no name is given', async () => {
    const asked: unknown[] = [];
    await saveAs(RUN, PLACE, { ...around(200, {}, asked), ask: async () => null });
    expect(asked).toEqual([]);
  });

  it('tells what was refused', async () => {
    const fault = { code: 'AlreadyExists', what: 'It was not made.', why: 'That name is taken.', fix: 'Choose another.' };
    const one = around(409, { error: fault });
    await saveAs(RUN, PLACE, one);
    expect(one.open).not.toHaveBeenCalled();
    expect(Notification.manager.notifications[0].message).toBe('It was not made.\nThat name is taken.\nChoose another.');
  });

  it('suggests a name beside the origin', () => {
    expect(suggested(RUN)).toBe('deep/train-01a1fd2b0123');
    expect(suggested({ ...RUN, path: 'train.ipynb' })).toBe('train-01a1fd2b0123');
  });

  it('lists which assets moved', () => {
    const host = document.createElement('div');
    const made = { ...MADE, swaps: [{ kind: 'dataset', name: 'bikes', old: 'bikes:1', new: 'bikes:2' }] };
    act(() => createRoot(host).render(<Swaps made={made} />));
    expect([...host.querySelectorAll('td')].map(one => one.textContent)).toEqual(['dataset', 'bikes:1', 'bikes:2']);
  });
});
