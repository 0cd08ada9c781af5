import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { LabIcon } from '@jupyterlab/ui-components';

import { runNotebook } from './experiments/run';
import { saveBeforeMagics } from './experiments/saving';
import { IExperiment, IRun } from './generated/api';
import { Lifecycle } from './lifecycle';
import { LifecyclePanel } from './panel';
import { IPair } from './predictive/pairs';
import { OPEN_BOTH_COMMAND, pathsOf, SETUP_COMMAND } from './predictive/plugin';
import { snapshotAt, snapshotPath } from './snapshots/drive';
import { ILifecycle } from './tokens';
import { IServing } from './services/list';

export const RUN_COMMAND = 'mlalm:experiment:run';
export const REFRESH_COMMAND = 'mlalm:workspace:refresh';
const CATEGORY = 'mlalm';
const IDLE_S = 10;

const icon = new LabIcon({
  name: 'mlalm:lifecycle',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24">
    <path class="jp-icon3" fill="#616161" d="M12 4a8 8 0 1 0 8 8h-2a6 6 0 1 1-1.8-4.2L14 10h6V4l-2.4 2.4A8 8 0 0 0 12 4z"/>
    <circle class="jp-icon3" fill="#616161" cx="12" cy="12" r="2.2"/></svg>`
});

/** Keeps the state of the workspace for the panel and for others. */
export const lifecyclePlugin: JupyterFrontEndPlugin<ILifecycle> = {
  id: 'mlalm-jupyter:lifecycle',
  description: 'The experiments and services of the workspace.',
  provides: ILifecycle,
  activate: app => new Lifecycle(app.serviceManager.serverSettings)
};

/** The side panel. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'mlalm-jupyter:plugin',
  description: 'The panel of experiments and services.',
  autoStart: true,
  requires: [ILifecycle, IDocumentManager],
  optional: [ISettingRegistry, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    lifecycle: ILifecycle,
    documents: IDocumentManager,
    registry: ISettingRegistry | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    let idleS = IDLE_S;
    void registry?.load('mlalm-jupyter:plugin').then(settings => {
      const read = () => {
        idleS = (settings.get('poll').composite as number) ?? IDLE_S;
      };
      settings.changed.connect(read);
      read();
    });
    const open = (experiment: IExperiment) => {
      if (lifecycle.folder === null) {
        Notification.warning(`${experiment.path} lies outside the folder that Jupyter serves.`);
        return;
      }
      documents.openOrReveal(PathExt.join(lifecycle.folder, experiment.path));
    };
    const show = (run: IRun) => {
      documents.openOrReveal(snapshotPath(lifecycle.folder, run));
    };
    const copy = (endpoint: IServing) => {
      Clipboard.copyToSystem(endpoint.address ?? '');
      Notification.success(`The address of ${endpoint.reference} is copied.`, { autoClose: 2000 });
    };
    const both = (pair: IPair) => {
      const paths = pathsOf(pair, lifecycle.folder);
      if (paths === null) {
        open(pair.training); // it tells why it cannot
        return;
      }
      void app.commands.execute(OPEN_BOTH_COMMAND, { ...paths });
    };
    const setUp = (experiment: IExperiment) => {
      if (lifecycle.folder === null) {
        open(experiment);
        return;
      }
      void app.commands.execute(SETUP_COMMAND, { path: PathExt.join(lifecycle.folder, experiment.path) });
    };
    const actions = { open, show, copy, both, setUp };
    const panel = new LifecyclePanel(lifecycle, actions, () => idleS * 1000);
    panel.title.icon = icon;
    app.shell.add(panel, 'left', { rank: 700 });
    restorer?.add(panel, 'mlalm-panel');
    let near = '';
    app.shell.currentChanged?.connect((_, { newValue }) => {
      const path = newValue && documents.contextForWidget(newValue)?.path;
      const at = path ? (snapshotAt(path)?.notebook ?? path) : near;
      if (at !== near) {
        near = at;
        lifecycle.moveTo(near);
        if (panel.isVisible) {
          void lifecycle.refresh();
        }
      }
    });
    app.commands.addCommand(REFRESH_COMMAND, {
      label: 'Refresh experiments and services',
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => lifecycle.refresh()
    });
    palette?.addItem({ command: REFRESH_COMMAND, category: CATEGORY });
  }
};

/** The toolbar button "Run (snapshot)", and magics that do as it does. */
export const runPlugin: JupyterFrontEndPlugin<void> = {
  id: 'mlalm-jupyter:run',
  description: 'Runs a snapshot of the notebook.',
  autoStart: true,
  requires: [ILifecycle, INotebookTracker],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, lifecycle: ILifecycle, tracker: INotebookTracker, palette: ICommandPalette | null) => {
    saveBeforeMagics(tracker);
    const current = () => (tracker.currentWidget === app.shell.currentWidget ? tracker.currentWidget : null);
    app.commands.addCommand(RUN_COMMAND, {
      label: 'Run (snapshot)',
      caption: 'Save the notebook, take a snapshot of it, and have the scheduler run that',
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => current() !== null,
      execute: async () => {
        const panel = current();
        if (panel) {
          await runNotebook(panel.context, lifecycle);
        }
      }
    });
    palette?.addItem({ command: RUN_COMMAND, category: CATEGORY });
  }
};
