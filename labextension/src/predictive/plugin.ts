import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { ILifecycle } from '../tokens';
import { IPaths, openBoth } from './both';
import { IPair, pairsOf } from './pairs';
import { setUpPredictive } from './setup';

export const SETUP_COMMAND = 'mlalm:service:setup';
export const OPEN_BOTH_COMMAND = 'mlalm:experiment:open-both';
const CATEGORY = 'mlalm';

/** A predictive notebook cut out of the one at hand, and both side by side. */
export const predictivePlugin: JupyterFrontEndPlugin<void> = {
  id: 'mlalm-jupyter:predictive',
  description: 'Sets up predictive services, and shows both notebooks side by side.',
  autoStart: true,
  requires: [ILifecycle, IDocumentManager, INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    lifecycle: ILifecycle,
    documents: IDocumentManager,
    tracker: INotebookTracker,
    palette: ICommandPalette | null
  ) => {
    const current = () => (tracker.currentWidget === app.shell.currentWidget ? tracker.currentWidget : null);
    const show = (both: IPaths) => openBoth(both, documents, app.shell);
    const named = (path: unknown): NotebookPanel | null =>
      typeof path === 'string' ? ((documents.openOrReveal(path) as NotebookPanel | undefined) ?? null) : current();

    app.commands.addCommand(SETUP_COMMAND, {
      label: 'Set up predictive service',
      caption: 'Cut the part that scores out of this training notebook, show that it answers alike, and write it beside it',
      describedBy: {
        args: {
          type: 'object',
          properties: { path: { type: 'string', description: 'The training notebook; the one at hand without it' } }
        }
      },
      isEnabled: args => typeof args.path === 'string' || current() !== null,
      execute: async args => {
        const panel = named(args.path);
        if (panel) {
          await panel.context.ready;
          await setUpPredictive(panel.context, lifecycle, show);
        }
      }
    });
    app.commands.addCommand(OPEN_BOTH_COMMAND, {
      label: 'Open both, training and predictive notebook',
      caption: 'Show a training notebook and one that was cut out of it side by side',
      describedBy: {
        args: {
          type: 'object',
          properties: {
            training: { type: 'string', description: 'A training notebook; without both the pair of the one at hand' },
            predictive: { type: 'string', description: 'A notebook that was cut out of it' }
          }
        }
      },
      isEnabled: args => typeof args.training === 'string' || current() !== null,
      execute: async args => {
        const { training, predictive } = args;
        if (typeof training === 'string' && typeof predictive === 'string') {
          show({ training, predictive });
          return;
        }
        const panel = current();
        if (panel) {
          await lifecycle.refresh();
          const both = await pairOf(panel.context.localPath, lifecycle);
          if (both) {
            show(both);
          }
        }
      }
    });
    for (const command of [SETUP_COMMAND, OPEN_BOTH_COMMAND]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

/** Where a pair lies, as Jupyter names it; null where it lies outside the folder that Jupyter serves. */
export function pathsOf({ training, predictive }: IPair, folder: string | null): IPaths | null {
  return folder === null
    ? null
    : { training: PathExt.join(folder, training.path), predictive: PathExt.join(folder, predictive.path) };
}

/** The pair that a notebook is part of; a person chooses where there are several, and is told where there is none. */
async function pairOf(path: string, { experiments, folder }: ILifecycle): Promise<IPaths | null> {
  const experiment = experiments.find(one => folder !== null && PathExt.join(folder, one.path) === path);
  const pairs = experiment ? pairsOf(experiment, experiments) : [];
  const pair = pairs.length > 1 ? await chosen(pairs) : pairs[0];
  if (pairs.length === 0) {
    const fix = `'Set up predictive service' cuts one out of it, once it has run.`;
    Notification.warning(`No predictive notebook belongs to ${PathExt.basename(path)}.\n${fix}`);
  }
  return pair ? pathsOf(pair, folder) : null;
}

async function chosen(pairs: readonly IPair[]): Promise<IPair | null> {
  const names = pairs.map(pair => pair.predictive.path);
  const answer = await InputDialog.getItem({
    title: 'Open both',
    label: `Several notebooks were cut out of ${pairs[0].training.path}:`,
    items: names,
    current: names.length - 1,
    okLabel: 'Open'
  });
  return answer.button.accept ? (pairs[names.indexOf(answer.value ?? '')] ?? null) : null;
}
