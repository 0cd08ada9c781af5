import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookWidgetFactory, NotebookWidgetFactory } from '@jupyterlab/notebook';

import { tellFault } from '../faults';
import { ILifecycle } from '../tokens';
import { IShown, SnapshotBar } from './bar';
import { snapshotAt, SnapshotDrive } from './drive';
import { LOCKED_FACTORY, LockedDocument, LockedFactory, snapshotFileType } from './factory';
import { askName, saveAs } from './saveAs';

export const SAVE_AS_COMMAND = 'mlalm:snapshot:save-as';
export const LOCKED_COMMAND = 'mlalm:snapshot:locked';
const LOCKED = '.mlalm-locked';
const NO_ARGUMENTS = { args: { type: 'object' as const, properties: {} } };

/** Opens locked snapshots: a drive that only reads, and notebooks without a kernel. */
export const snapshotPlugin: JupyterFrontEndPlugin<void> = {
  id: 'mlalm-jupyter:snapshots',
  description: 'Opens the snapshots of runs, locked.',
  autoStart: true,
  requires: [ILifecycle, IDocumentManager, INotebookWidgetFactory],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    lifecycle: ILifecycle,
    documents: IDocumentManager,
    standard: NotebookWidgetFactory.IFactory,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const settings = app.serviceManager.serverSettings;
    const drive = new SnapshotDrive(settings, tellFault);
    app.serviceManager.contents.addDrive(drive);
    app.docRegistry.addFileType(snapshotFileType);

    const bars = new WeakMap<LockedDocument, SnapshotBar>();
    const open = (path: string) => void documents.openOrReveal(path);
    const save = async ({ run, place }: IShown) => {
      await saveAs(run, place, { ask: askName, open, settings });
      await lifecycle.refresh();
    };
    const barOf = (opened: LockedDocument): SnapshotBar | null => {
      const at = snapshotAt(opened.context.path);
      if (at === null) {
        return null;
      }
      const actions = { saveAs: (shown: IShown) => void save(shown), ended: () => void opened.context.revert() };
      const bar = new SnapshotBar(at, actions, settings);
      bars.set(opened, bar);
      return bar;
    };
    // the interface that JupyterLab names leaves out what draws the cells, which ours are drawn with too
    const factory = new LockedFactory(standard as NotebookWidgetFactory, barOf);
    app.docRegistry.addWidgetFactory(factory);

    const tracker = new WidgetTracker<LockedDocument>({ namespace: 'mlalm-snapshots' });
    factory.widgetCreated.connect((_, opened) => {
      opened.context.pathChanged.connect(() => void tracker.save(opened));
      void tracker.add(opened);
    });
    void restorer?.restore(tracker, {
      command: 'docmanager:open',
      args: opened => ({ path: opened.context.path, factory: LOCKED_FACTORY }),
      name: opened => opened.context.path
    });

    // what an address names JupyterLab opens by way of a file browser, and there is none of this drive
    const named = PageConfig.getOption('treePath');
    if (snapshotAt(named)) {
      PageConfig.setOption('treePath', '');
      void app.restored.then(() => open(named));
    }

    const current = () => (tracker.currentWidget === app.shell.currentWidget ? tracker.currentWidget : null);
    app.commands.addCommand(SAVE_AS_COMMAND, {
      label: 'Save snapshot as…',
      caption: 'Go on from this snapshot in a notebook of its own',
      describedBy: NO_ARGUMENTS,
      isEnabled: () => current() !== null,
      execute: () => {
        const opened = current();
        if (opened) {
          bars.get(opened)?.saveAs();
        }
      }
    });
    app.commands.addCommand(LOCKED_COMMAND, {
      label: 'Save (snapshots are locked)',
      describedBy: NO_ARGUMENTS,
      execute: async () => {
        const path = current()?.context.localPath;
        if (path !== undefined) {
          await drive.save(path).catch(() => undefined); // it has told
        }
      }
    });
    app.commands.addKeyBinding({ command: LOCKED_COMMAND, keys: ['Accel S'], selector: LOCKED });
    app.commands.addKeyBinding({ command: SAVE_AS_COMMAND, keys: ['Accel Shift S'], selector: LOCKED });
    palette?.addItem({ command: SAVE_AS_COMMAND, category: 'mlalm' });
  }
};
