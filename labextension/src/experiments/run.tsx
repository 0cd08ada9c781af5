import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import * as React from 'react';

import { IFault, IRun } from '../generated/api';
import { MlalmError } from '../request';
import { ILifecycle } from '../tokens';
import { runStatus } from './list';

/** JupyterLab cuts longer notifications off, and what to do stands at the end. */
const SHOWN_CHARACTERS = 140;

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
    tellFault(id, error.fault);
  }
}

function tellEnd(id: string, name: string, run: IRun): void {
  const ended = `${name}: ${run.status}.`;
  if (run.status.startsWith('Failed')) {
    const why = run.failed_cell === null ? (run.cause ?? '') : `Cell ${run.failed_cell}: ${run.cause ?? 'no cause is known'}`;
    tellFault(id, { code: 'RunFailed', what: ended, why, fix: 'Correct the notebook and run it again.' });
    return;
  }
  const models = run.models.length > 0 ? ` Registered ${run.models.join(', ')}.` : '';
  const reason = run.cause ? ` ${run.cause}` : '';
  const type = run.status === 'Canceled' ? 'warning' : 'success';
  Notification.update({ id, message: `${ended}${models}${reason}`, type, autoClose: 5000 });
}

function tellFault(id: string, fault: IFault): void {
  const whole = [fault.what, fault.why, fault.fix].filter(Boolean).join('\n');
  const isWhole = whole.length <= SHOWN_CHARACTERS;
  const actions = [{ label: 'Details', caption: 'Why, and what to do', callback: () => void showFault(fault) }];
  Notification.update({
    id,
    message: isWhole ? whole : fault.what,
    type: 'error',
    autoClose: false,
    actions: isWhole ? [] : actions
  });
}

async function showFault(fault: IFault): Promise<void> {
  const body = (
    <div className="mlalm-details">
      <p>{fault.why}</p>
      <p>{fault.fix}</p>
    </div>
  );
  await showDialog({ title: fault.what, body, buttons: [Dialog.okButton({ label: 'Close' })] });
}
