import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import { tellFault } from '../faults';
import { IRun, ISavedAs } from '../generated/api';
import { IPlace, MlalmError, requestAPI } from '../request';
import { shortId } from './drive';

/** What happens around a Save As: asking for the name, and opening what was made. */
export interface IAround {
  ask: (run: IRun) => Promise<{ name: string; keepVersions: boolean } | null>;
  open: (path: string) => void;
  settings?: ServerConnection.ISettings;
}

/** Save a snapshot as an experiment of its own, open that, and tell which assets moved to newer versions. */
export async function saveAs(run: IRun, place: IPlace, around: IAround): Promise<void> {
  const asked = await around.ask(run);
  if (asked === null) {
    return;
  }
  try {
    const made = await requestAPI<ISavedAs>(
      'experiment/save-as',
      { source: `run:${run.id}`, name: asked.name, keep_versions: asked.keepVersions },
      around.settings,
      place.workspace
    );
    if (place.folder !== null) {
      around.open(PathExt.join(place.folder, made.experiment.path));
    }
    await tellSaved(made);
  } catch (error) {
    if (!(error instanceof MlalmError)) {
      throw error;
    }
    tellFault(error.fault);
  }
}

/** Ask for the name of the new notebook. */
export async function askName(run: IRun): Promise<{ name: string; keepVersions: boolean } | null> {
  const answer = await InputDialog.getText({
    title: 'Save As…',
    label: `Run ${shortId(run.id)} of ${run.path} becomes a new experiment, with a history of its own. The name of its notebook:`,
    text: suggested(run),
    okLabel: 'Save',
    checkbox: { label: 'Keep the versions of its assets', caption: 'Otherwise they move to their newest', checked: false }
  });
  const name = answer.value?.trim();
  return answer.button.accept && name ? { name, keepVersions: answer.isChecked === true } : null;
}

/** A name beside the one it comes from. */
export function suggested(run: Pick<IRun, 'id' | 'path'>): string {
  const name = `${PathExt.basename(run.path, '.ipynb')}-${shortId(run.id)}`;
  return PathExt.join(PathExt.dirname(run.path), name);
}

async function tellSaved(made: ISavedAs): Promise<void> {
  const saved = `Saved as ${made.experiment.path}.`;
  if (made.swaps.length === 0) {
    Notification.success(`${saved} No asset in it moved to another version.`, { autoClose: 5000 });
    return;
  }
  await showDialog({ title: saved, body: <Swaps made={made} />, buttons: [Dialog.okButton({ label: 'Close' })] });
}

/** Which assets moved, from which version to which. */
export function Swaps({ made }: { made: ISavedAs }): JSX.Element {
  return (
    <div className="mlalm-details">
      <p>These assets moved to another version; the origin stays as it is.</p>
      <table className="mlalm-swaps">
        <thead>
          <tr>
            <th scope="col">Asset</th>
            <th scope="col">Was</th>
            <th scope="col">Is</th>
          </tr>
        </thead>
        <tbody>
          {made.swaps.map(swap => (
            <tr key={`${String(swap.kind)} ${String(swap.name)}`}>
              <td>{String(swap.kind)}</td>
              <td>{String(swap.old)}</td>
              <td>{String(swap.new)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
