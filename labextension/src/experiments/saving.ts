import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';

/** Lines that act on the notebook as its file says it is. */
const READS_THE_FILE = /^[ \t]*(?:[\w.,\t ]+=[ \t]*)?%(?:snapshot|run_all|run_to|save_as|register|mlalm[ \t]+(?:experiment|model[ \t]+register))\b/m;

/** The metadata of a request by which the kernel learns which save it is to wait for. */
export const SAVED = 'mlalm_saved';

/** Whether a cell acts on the notebook's file, so that what is on screen has to be there first. */
export function readsTheFile(source: string): boolean {
  return READS_THE_FILE.test(source);
}

/** What is needed of a cell that is about to run. */
export interface ICell {
  readonly type: string;
  readonly sharedModel: { getSource(): string; transact(change: () => void, undoable?: boolean, origin?: string): void };
  setMetadata(key: string, value: unknown): void;
  deleteMetadata(key: string): void;
}

/** What is needed of the document it stands in. */
export interface IDocument {
  readonly localPath: string;
  readonly contentsModel: { readonly last_modified: string } | null;
  save(): Promise<void>;
}

/** Save a document whose cell is about to act on its file.
 *
 * The request to run the cell is on its way by then, and may be read before the file is written. So it carries
 * when the file was last written: the kernel waits until that has changed. Requests take their metadata from
 * the cell's as soon as this returns, and the cell is as it was before it is saved.
 */
export function saveBefore(cell: ICell, document: IDocument): Promise<void> {
  if (cell.type !== 'code' || !readsTheFile(cell.sharedModel.getSource())) {
    return Promise.resolve();
  }
  const silently = (change: () => void) => cell.sharedModel.transact(change, false, 'silent-change');
  const before = { path: document.localPath, modified: document.contentsModel?.last_modified ?? '' };
  silently(() => cell.setMetadata(SAVED, before));
  return Promise.resolve()
    .then(() => silently(() => cell.deleteMetadata(SAVED)))
    .then(() => document.save())
    .catch(() => undefined); // the document has told, and so will the kernel
}

/** Have every notebook saved before a cell that acts on its file. */
export function saveBeforeMagics(tracker: INotebookTracker): void {
  NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
    const panel = tracker.find(one => one.content === notebook);
    if (panel) {
      void saveBefore(cell.model as unknown as ICell, panel.context);
    }
  });
}
