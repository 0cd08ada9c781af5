import { Notification } from '@jupyterlab/apputils';

import { IRun } from '../generated/api';
import { MlalmError } from '../request';
import { ILifecycle } from '../tokens';
import { INotebook, runNotebook } from './run';

const ENDED = { status: 'Finished', models: [], cause: null, failed_cell: null } as unknown as IRun;
const LONG = { code: 'Unavailable', what: 'It was not run.', why: 'x'.repeat(150), fix: 'Wait a while.' };

function notebook(): INotebook & { save: jest.Mock } {
  return { localPath: 'deep/train.ipynb', save: jest.fn().mockResolvedValue(undefined) };
}

function ending(run: Partial<IRun>): ILifecycle {
  return { run: async () => ({ ...ENDED, ...run }) as IRun } as unknown as ILifecycle;
}

function refusing(error: Error): ILifecycle {
  return { run: () => Promise.reject(error) } as unknown as ILifecycle;
}

function told(): Notification.INotification {
  return Notification.manager.notifications[0];
}

describe('running a snapshot', () => {
  afterEach(() => Notification.manager.dismiss());

  it('saves the notebook before it runs it, and tells how far it is', async () => {
    const one = notebook();
    const heard: string[] = [];
    const run: ILifecycle['run'] = async (path, tell) => {
      expect(one.save).toHaveBeenCalledTimes(1);
      tell({ ...ENDED, status: 'Running', cells_done: 1, cells_total: 3 });
      heard.push(path, told().message);
      return ENDED;
    };
    await runNotebook(one, { run } as unknown as ILifecycle);
    expect(heard).toEqual(['deep/train.ipynb', 'train.ipynb: ▸ Running 1/3']);
  });

  it('does not run what could not be saved', async () => {
    const run = jest.fn();
    const one = { ...notebook(), save: () => Promise.reject(new Error('disk')) };
    await expect(runNotebook(one, { run } as unknown as ILifecycle)).rejects.toThrow('disk');
    expect(run).not.toHaveBeenCalled();
    expect(Notification.manager.count).toBe(0);
  });

  it('names the models that a run registered', async () => {
    await runNotebook(notebook(), ending({ models: ['bikes:2'] }));
    expect([told().type, told().message]).toEqual(['success', 'train.ipynb: Finished. Registered bikes:2.']);
  });

  it('says which cell failed and why, and what to do', async () => {
    await runNotebook(notebook(), ending({ status: 'Failed', failed_cell: 3, cause: 'NameError: x' }));
    expect(told().type).toBe('error');
    expect(told().message).toBe('train.ipynb: Failed.\nCell 3: NameError: x\nCorrect the notebook and run it again.');
    expect(told().options.actions).toEqual([]);
  });

  it('opens what is too long for a notification, so that nothing is cut off', async () => {
    await runNotebook(notebook(), refusing(new MlalmError(LONG)));
    expect(told().message).toBe('It was not run.');
    told().options.actions?.[0].callback(new MouseEvent('click'));
    for (let i = 0; i < 100 && !document.querySelector('.jp-Dialog-header')?.textContent; i++) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    expect(document.querySelector('.jp-Dialog-header')?.textContent).toBe('It was not run.');
    expect(document.querySelector('.jp-Dialog-body')?.textContent).toBe(LONG.why + LONG.fix);
    document.querySelector<HTMLButtonElement>('.jp-Dialog-button')?.click();
    expect(document.querySelector('.jp-Dialog')).toBeNull();
  });
});
