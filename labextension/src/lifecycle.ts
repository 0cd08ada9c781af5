import { PathExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { Histories } from './experiments/histories';
import { isUnderWay } from './experiments/status';
import { IExperiment, IFault, IRun, ISetUp, IWebService } from './generated/api';
import { IFar, MlalmError, requestAPI, requestLong, requestPlace } from './request';
import { IHistory, ILifecycle } from './tokens';

const WATCH_MS = { first: 300, last: 2000, growth: 1.2 };

/** How long a server that does not answer is asked again: about half an hour. */
const AWAY = { growth: 2, last_ms: 30_000, tries: 60, codes: ['Unreachable', 'Unavailable', '502', '503', '504'] };

function isAway(error: unknown): boolean {
  return error instanceof MlalmError && AWAY.codes.includes(error.fault.code);
}

interface IKnown {
  readonly workspace: string;
  readonly folder: string | null;
  readonly experiments: readonly IExperiment[];
  readonly services: readonly IWebService[];
  readonly fault: IFault | null;
}

const NOTHING: IKnown = { workspace: '', folder: null, experiments: [], services: [], fault: null };

/** Keeps what the server last said of the workspace. */
export class Lifecycle implements ILifecycle {
  constructor(private readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  get experiments(): readonly IExperiment[] {
    return this._known.experiments;
  }

  get services(): readonly IWebService[] {
    return this._known.services;
  }

  get folder(): string | null {
    return this._known.folder;
  }

  get fault(): IFault | null {
    return this._known.fault;
  }

  get isLoading(): boolean {
    return this._known === NOTHING;
  }

  get isBusy(): boolean {
    const runs = [...this._histories.runs, ...this.experiments.map(one => one.last_run)];
    return runs.some(isUnderWay);
  }

  get changed(): ISignal<ILifecycle, void> {
    return this._changed;
  }

  /** Ask again; two callers at once share one answer. */
  refresh(): Promise<void> {
    if (!this._asking) {
      const asking = this.ask().finally(() => {
        if (this._asking === asking) {
          this._asking = null;
        }
      });
      this._asking = asking;
    }
    return this._asking;
  }

  moveTo(near: string): void {
    this._near = near;
    this._asking = null;
  }

  isOpen(experiment: IExperiment): boolean {
    return this._histories.isOpen(experiment, this.isAtHand(experiment));
  }

  setOpen(experiment: IExperiment, isOpen: boolean): void {
    this._histories.setOpen(experiment, isOpen);
    this._changed.emit();
    this.askAnew();
  }

  showMore(experiment: IExperiment): void {
    this._histories.showMore(experiment);
    this._changed.emit();
    this.askAnew();
  }

  history(experiment: IExperiment): IHistory | null {
    return this._histories.of(experiment);
  }

  async run(path: string, told: (run: IRun) => void): Promise<IRun> {
    // the workspace around the notebook is meant, also when the panel shows another
    const { workspace } = await requestPlace(path, this.settings);
    let run = await requestAPI<IRun>('experiment/run', { notebook: path, wait: false }, this.settings, workspace);
    this.askAnew();
    let missed = 0;
    for (let wait = WATCH_MS.first; isUnderWay(run); ) {
      told(run);
      this.put(run, workspace);
      await new Promise(resolve => setTimeout(resolve, wait));
      try {
        run = await requestAPI<IRun>('run/show', { run: run.id }, this.settings, workspace);
        wait = missed ? WATCH_MS.first : Math.min(wait * WATCH_MS.growth, WATCH_MS.last);
        missed = 0;
      } catch (error) {
        // the run goes on without us: a network that comes and goes, or a restart, is waited for
        missed += 1;
        if (!isAway(error) || missed > AWAY.tries) {
          throw error;
        }
        wait = Math.min(wait * AWAY.growth, AWAY.last_ms);
      }
    }
    this.askAnew();
    return run;
  }

  async setUp(path: string, told: (far: IFar) => void): Promise<ISetUp> {
    const { workspace } = await requestPlace(path, this.settings);
    const asked = { kind: 'predictive', notebook: path };
    try {
      return await requestLong<ISetUp>('service/setup', asked, told, this.settings, workspace);
    } finally {
      this.askAnew();
    }
  }

  /** Show what is newly known of a run, without asking for everything. */
  private put(run: IRun, workspace: string): void {
    if (workspace !== this._known.workspace) {
      return;
    }
    const isLast = (one: IExperiment) => one.last_run?.id === run.id;
    const experiments = this._known.experiments.map(one => (isLast(one) ? { ...one, last_run: run } : one));
    this._known = { ...this._known, experiments };
    this._histories.put(run);
    this._changed.emit();
  }

  /** Whether an experiment's notebook is the one that a person looks at. */
  private isAtHand(experiment: IExperiment, folder: string | null = this._known.folder): boolean {
    return folder !== null && PathExt.join(folder, experiment.path) === this._near;
  }

  /** Ask although an answer is on its way: it is older than what has just changed. */
  private askAnew(): void {
    this._asking = null;
    void this.refresh();
  }

  private async ask(): Promise<void> {
    const turn = ++this._turn;
    const known = await this.answer();
    // of two answers the one that was asked for last counts, whichever comes first
    if (turn === this._turn) {
      this._known = known;
      this._changed.emit();
    }
  }

  private async answer(): Promise<IKnown> {
    let kept = this._known;
    try {
      const { workspace, folder } = await requestPlace(this._near, this.settings);
      if (workspace !== kept.workspace) {
        kept = NOTHING;
      }
      const [experiments, services] = await Promise.all([
        requestAPI<IExperiment[]>('experiment/list', {}, this.settings, workspace),
        requestAPI<IWebService[]>('service/list', {}, this.settings, workspace)
      ]);
      const known = { workspace, folder, experiments, services, fault: null };
      await this.askHistories(known);
      return known;
    } catch (error) {
      if (!(error instanceof MlalmError)) {
        throw error;
      }
      // while the server is away what it said stays; what it said of another workspace does not
      const isElsewhere = error.fault.code === 'WorkspaceNotFound';
      return { ...(isElsewhere ? NOTHING : kept), fault: error.fault };
    }
  }

  /** Ask for the histories that are open; what was deleted meanwhile is left out. */
  private async askHistories(known: IKnown): Promise<void> {
    const { workspace, folder, experiments } = known;
    this._histories.forgetOthers(experiments);
    const open = experiments.filter(one => this._histories.isOpen(one, this.isAtHand(one, folder)));
    await Promise.all(
      open.map(async experiment => {
        // by its whole path, because a file of the same path may lie where Jupyter serves
        const asked = { notebook: `${workspace}/${experiment.path}`, limit: this._histories.limit(experiment) };
        try {
          const runs = await requestAPI<IRun[]>('experiment/history', asked, this.settings, workspace);
          this._histories.keep(experiment, runs);
        } catch (error) {
          if (!(error instanceof MlalmError && error.fault.code === 'NotFound')) {
            throw error;
          }
        }
      })
    );
  }

  private readonly _histories = new Histories();
  private _near = '';
  private _known = NOTHING;
  private _turn = 0;
  private _asking: Promise<void> | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
