import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';

import { tellFault, tellMore } from '../faults';
import { INotebook } from '../experiments/run';
import { ISetUp } from '../generated/api';
import { IFar, MlalmError } from '../request';
import { ILifecycle } from '../tokens';
import { IPaths } from './both';

/** A notebook, with the path that its document is opened by. */
export interface ISource extends INotebook {
  readonly path: string;
}

/** Save a notebook, have its predictive notebook cut out of it, tell how that goes, and open what was written. */
export async function setUpPredictive(
  notebook: ISource,
  lifecycle: ILifecycle,
  open: (both: IPaths) => void
): Promise<void> {
  const name = PathExt.basename(notebook.localPath);
  const id = Notification.emit(`${name}: setting up a predictive service`, 'in-progress', { autoClose: false });
  try {
    await notebook.save();
    const made = await lifecycle.setUp(notebook.localPath, far => {
      Notification.update({ id, message: `${name}: ${howFar(far)}` });
    });
    tellMade(id, made);
    // it lies beside the training notebook
    const predictive = PathExt.join(PathExt.dirname(notebook.path), PathExt.basename(made.experiment.path));
    open({ training: notebook.path, predictive });
  } catch (error) {
    if (!(error instanceof MlalmError)) {
      Notification.dismiss(id);
      throw error;
    }
    tellFault(error.fault, id);
  }
}

/** Progress in words. */
export function howFar({ text, done, total }: IFar): string {
  return total > 0 ? `${text}, cell ${done} of ${total}` : `${text}…`;
}

function tellMade(id: string, made: ISetUp): void {
  const name = PathExt.basename(made.experiment.path);
  const rows = (made.proven?.rows ?? 0) + (made.proven?.perturbed_rows ?? 0);
  const held = made.held_back.map(cell => `Your cell stays, though something else would stand there now: ${cell}`);
  const warnings = [...made.warnings, ...held];
  const message = `${name} is ${made.is_new ? 'written' : 'made again'}. Both notebooks answer ${rows} rows alike.`;
  if (warnings.length === 0) {
    Notification.update({ id, message, type: 'success', autoClose: 8000 });
  } else {
    tellMore(id, message, name, warnings);
  }
}
