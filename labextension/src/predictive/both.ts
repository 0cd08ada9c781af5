import { JupyterFrontEnd } from '@jupyterlab/application';
import { IDocumentManager } from '@jupyterlab/docmanager';

/** What is needed of the places where documents are opened. */
export type IDocuments = Pick<IDocumentManager, 'openOrReveal' | 'findWidget' | 'open'>;
export type IShell = Pick<JupyterFrontEnd.IShell, 'add' | 'activateById'>;

/** Two files, by the paths that Jupyter knows them by. */
export interface IPaths {
  readonly training: string;
  readonly predictive: string;
}

/** Show both notebooks side by side; one that is open is not opened again, and moves only where it would hide the other. */
export function openBoth({ training, predictive }: IPaths, documents: IDocuments, shell: IShell): void {
  const left = documents.openOrReveal(training);
  if (!left) {
    return; // the file is gone, which the document manager has told
  }
  const right = documents.findWidget(predictive);
  if (!right) {
    documents.open(predictive, undefined, undefined, { mode: 'split-right', ref: left.id });
    return;
  }
  if (!right.isVisible || !left.isVisible) {
    shell.add(right, 'main', { mode: 'split-right', ref: left.id });
  }
  shell.activateById(right.id);
}
