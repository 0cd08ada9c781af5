import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';

import { tellFault } from '../faults';
import { IRun } from '../generated/api';
import { MlalmError } from '../request';
import { ILifecycle } from '../tokens';
import { runStatus } from './status';

/** What is needed of a notebook to run it. */
export interface INotebook {
  readonly localPath: string;
  save(): Promise<void>;
}

/** Save a notebook, run a snapshot of it, and tell how that goes until it has ended. */
export async function runNotebook(notebook: INotebook, lifecycle: ILifecycle): Promise<void> {
  const name = PathExt.basename(notebook.localPath);
  const id = Notification.emit(`${name}: taking a snapshot`, 'in-progress', { autoClose: false });
  try {
    await notebook.save();
    const run = await lifecycle.run(notebook.localPath, now => {
      Notification.update({ id, message: `${name}: ${runStatus(now)}` });
    });
    tellEnd(id, name, run);
  } catch (error) {
    if (!(error instanceof MlalmError)) {
      Notification.dismiss(id);
      throw error;
    }
    tellFault(error.fault, id);
  }
}

function tellEnd(id: string, name: string, run: IRun): void {
  const ended = `${name}: ${run.status}.`;
  if (run.status.startsWith('Failed')) {
    const why = run.failed_cell === null ? (run.cause ?? '') : `Cell ${run.failed_cell}: ${run.cause ?? 'no cause is known'}`;
    tellFault({ code: 'RunFailed', what: ended, why, fix: 'Correct the notebook and run it again.' }, id);
    return;
  }
  const models = run.models.length > 0 ? ` Registered ${run.models.join(', ')}.` : '';
  const reason = run.cause ? ` ${run.cause}` : '';
  const type = run.status === 'Canceled' ? 'warning' : 'success';
  Notification.update({ id, message: `${ended}${models}${reason}`, type, autoClose: 5000 });
}
