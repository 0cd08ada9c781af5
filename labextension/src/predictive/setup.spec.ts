import { Notification } from '@jupyterlab/apputils';

import { ISetUp } from '../generated/api';
import { MlalmError } from '../request';
import { ILifecycle } from '../tokens';
import { howFar, ISource, setUpPredictive } from './setup';

const MADE = {
  experiment: { path: 'deep/churn.predictive-2.ipynb' },
  is_new: true,
  proven: { rows: 20, perturbed_rows: 30, single_rows: 4 },
  held_back: [],
  warnings: []
} as unknown as ISetUp;

function notebook(): ISource & { save: jest.Mock } {
  return { path: 'RTC:w/deep/churn.ipynb', localPath: 'w/deep/churn.ipynb', save: jest.fn().mockResolvedValue(undefined) };
}

function making(made: Partial<ISetUp>): ILifecycle {
  return { setUp: async () => ({ ...MADE, ...made }) } as unknown as ILifecycle;
}

function told(): Notification.INotification {
  return Notification.manager.notifications[0];
}

describe('setting up a predictive service', () => {
  afterEach(() => Notification.manager.dismiss());

  it('saves the notebook first, tells how far it is, and opens what was written beside it', async () => {
    const one = notebook();
    const heard: string[] = [];
    const setUp: ILifecycle['setUp'] = async (path, tell) => {
      expect(one.save).toHaveBeenCalledTimes(1);
      tell({ text: 'Running the notebook once more', done: 2, total: 5 });
      heard.push(path, told().message);
      return MADE;
    };
    const open = jest.fn();
    await setUpPredictive(one, { setUp } as unknown as ILifecycle, open);
    expect(heard).toEqual(['w/deep/churn.ipynb', 'churn.ipynb: Running the notebook once more, cell 2 of 5']);
    expect(open).toHaveBeenCalledWith({ training: 'RTC:w/deep/churn.ipynb', predictive: 'RTC:w/deep/churn.predictive-2.ipynb' });
    expect(told().type).toBe('success');
    expect(told().message).toBe('churn.predictive-2.ipynb is written. Both notebooks answer 50 rows alike.');
  });

  it('says what has no end yet', () => {
    expect(howFar({ text: 'Comparing the answers', done: 0, total: 0 })).toBe('Comparing the answers…');
  });

  it('tells what was refused, why and what to do, and opens nothing', async () => {
    const fault = { code: 'Conflict', what: 'churn.ipynb was not set up.', why: 'It never ran.', fix: 'Run it.' };
    const open = jest.fn();
    const refusing = { setUp: () => Promise.reject(new MlalmError(fault)) } as unknown as ILifecycle;
    await setUpPredictive(notebook(), refusing, open);
    expect([told().type, told().message]).toEqual(['error', 'churn.ipynb was not set up.\nIt never ran.\nRun it.']);
    expect(open).not.toHaveBeenCalled();
  });

  it('does not set up what could not be saved', async () => {
    const setUp = jest.fn();
    const one = { ...notebook(), save: () => Promise.reject(new Error('disk')) };
    await expect(setUpPredictive(one, { setUp } as unknown as ILifecycle, jest.fn())).rejects.toThrow('disk');
    expect(setUp).not.toHaveBeenCalled();
    expect(Notification.manager.count).toBe(0);
  });

  it('says a short warning at once', async () => {
    await setUpPredictive(notebook(), making({ warnings: ["The column 'x' tells the label."] }), jest.fn());
    expect(told().message).toContain("answer 50 rows alike.\nThe column 'x' tells the label.");
    expect([told().type, told().options.actions]).toEqual(['warning', []]);
  });

  it('keeps warnings in sight, with all of them at a press', async () => {
    await setUpPredictive(notebook(), making({ is_new: false, warnings: ['A label.'], held_back: ['x = 1'] }), jest.fn());
    expect(told().type).toBe('warning');
    expect(told().message).toBe('churn.predictive-2.ipynb is made again. Both notebooks answer 50 rows alike. 2 warnings.');
    told().options.actions?.[0].callback(new MouseEvent('click'));
    const body = () => document.querySelector('.jp-Dialog-body')?.textContent ?? '';
    for (let i = 0; i < 100 && !body(); i++) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    expect(body()).toContain('A label.');
    expect(body()).toContain('x = 1');
    document.querySelector<HTMLButtonElement>('.jp-Dialog-button')?.click();
  });
});
