import { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import { ABCWidgetFactory, DocumentWidget } from '@jupyterlab/docregistry';
import { INotebookModel, NotebookPanel, NotebookWidgetFactory, StaticNotebook } from '@jupyterlab/notebook';
import { lockIcon } from '@jupyterlab/ui-components';

import { SnapshotBar } from './bar';
import { LOCKED_NAMES, shortId, snapshotAt } from './drive';

/** The kind of document, and what opens it. */
export const SNAPSHOT_TYPE = 'mlalm-snapshot';
export const LOCKED_FACTORY = 'Locked snapshot';

export const snapshotFileType: Parameters<JupyterFrontEnd['docRegistry']['addFileType']>[0] = {
  name: SNAPSHOT_TYPE,
  displayName: 'Locked snapshot',
  contentType: 'notebook',
  fileFormat: 'json',
  mimeTypes: ['application/x-ipynb+json'],
  extensions: [],
  pattern: LOCKED_NAMES,
  icon: lockIcon
};

/** A notebook that is only shown. */
export type LockedDocument = DocumentWidget<StaticNotebook, INotebookModel>;

/** Opens notebooks of the drive without a kernel and without the means to edit them.
 *
 * A static notebook has no command mode: JupyterLab's commands that edit, run or move cells do not know of it, and
 * the keys of some of them would act on the notebook behind this one.
 */
export class LockedFactory extends ABCWidgetFactory<LockedDocument, INotebookModel> {
  constructor(
    private readonly standard: NotebookWidgetFactory,
    private readonly barOf: (shown: LockedDocument) => SnapshotBar | null
  ) {
    super({
      name: LOCKED_FACTORY,
      fileTypes: [SNAPSHOT_TYPE],
      defaultFor: [SNAPSHOT_TYPE],
      modelName: 'notebook',
      readOnly: true,
      preferKernel: false,
      canStartKernel: false,
      autoStartDefault: false
    });
  }

  protected createNewWidget(context: NotebookPanel['context']): LockedDocument {
    const { rendermime, contentFactory, mimeTypeService, editorConfig, notebookConfig } = this.standard;
    const content = new StaticNotebook({
      rendermime: rendermime.clone({ resolver: context.urlResolver }),
      contentFactory,
      mimeTypeService,
      editorConfig,
      // a page that is only read has all its cells at once, so that the browser finds words in them
      notebookConfig: { ...notebookConfig, windowingMode: 'none', showEditorForReadOnlyMarkdown: false }
    });
    content.model = context.model;
    context.model.readOnly = true;
    // what JupyterLab fills in when it reads an older notebook is no change that anybody could save
    const clean = () => {
      context.model.dirty = false;
    };
    void context.ready.then(clean);
    context.model.stateChanged.connect((model, { name }) => {
      if (name === 'dirty' && model.dirty) {
        clean();
      }
    });
    const shown: LockedDocument = new DocumentWidget({ content, context });
    shown.addClass('mlalm-locked');
    shown.toolbar.hide();
    content.addClass('mlalm-locked-notebook');
    // keys scroll what they are pressed in
    content.node.tabIndex = -1;
    content.node.addEventListener('focus', () => content.outerNode.focus());
    content.outerNode.tabIndex = 0;
    const at = snapshotAt(context.path);
    if (at) {
      // a document takes a title of another name than its file's for a wish to rename the file
      shown.title.changed.disconnect(shown['_onTitleChanged'], shown);
      shown.title.label = `${PathExt.basename(at.notebook, '.ipynb')} @ ${shortId(at.run)}`;
      shown.title.icon = lockIcon;
      content.outerNode.setAttribute('role', 'document');
      content.outerNode.setAttribute('aria-label', `Cells of ${shown.title.label}`);
    }
    const bar = this.barOf(shown);
    if (bar) {
      shown.contentHeader.addWidget(bar);
      // what JupyterLab offers as "Save As" is the way on from here too
      context.saveAs = async () => {
        bar.saveAs();
        return false;
      };
    }
    return shown;
  }
}
