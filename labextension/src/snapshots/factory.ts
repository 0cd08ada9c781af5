import { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import { NotebookPanel, NotebookWidgetFactory } from '@jupyterlab/notebook';
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

/** Opens notebooks of the drive without a kernel, and unknown to the commands that edit and run notebooks. */
export class LockedFactory extends NotebookWidgetFactory {
  constructor(
    private readonly standard: NotebookWidgetFactory,
    private readonly barOf: (panel: NotebookPanel) => SnapshotBar | null
  ) {
    super({
      name: LOCKED_FACTORY,
      fileTypes: [SNAPSHOT_TYPE],
      defaultFor: [SNAPSHOT_TYPE],
      modelName: 'notebook',
      readOnly: true,
      preferKernel: false,
      canStartKernel: false,
      autoStartDefault: false,
      rendermime: standard.rendermime,
      contentFactory: standard.contentFactory,
      mimeTypeService: standard.mimeTypeService,
      toolbarFactory: () => []
    });
  }

  protected createNewWidget(context: NotebookPanel['context'], source?: NotebookPanel): NotebookPanel {
    this.editorConfig = this.standard.editorConfig;
    // a page that is only read has all its cells at once, so that the browser finds words in them
    this.notebookConfig = { ...this.standard.notebookConfig, windowingMode: 'none' };
    const panel = super.createNewWidget(context, source);
    context.model.readOnly = true;
    panel.addClass('mlalm-locked');
    panel.toolbar.hide();
    const at = snapshotAt(context.path);
    if (at) {
      panel.title.label = `${PathExt.basename(at.notebook, '.ipynb')} @ ${shortId(at.run)}`;
      panel.title.icon = lockIcon;
    }
    const bar = this.barOf(panel);
    if (bar) {
      panel.contentHeader.addWidget(bar);
    }
    holdCells(panel.node);
    return panel;
  }
}

/** Keep cells from being dragged about by their prompts: it would change only the page, but look like more. */
function holdCells(node: HTMLElement): void {
  node.addEventListener(
    'mousedown',
    event => {
      if ((event.target as HTMLElement).closest('.jp-InputPrompt, .jp-OutputPrompt')) {
        event.stopPropagation();
      }
    },
    true
  );
}
