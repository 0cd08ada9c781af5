import { ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { IExperiment, IFault, IRun, IWebService } from './generated/api';
import { MlalmError, requestAPI, requestPlace } from './request';
import { ILifecycle } from './tokens';

const RUNNING = ['Queued', 'Running'];
const WATCH_MS = { first: 300, last: 2000, growth: 1.2 };

/** How long a server that does not answer is asked again: about half an hour. */
const AWAY = { growth: 2, last_ms: 30_000, tries: 60, codes: ['Unreachable', 'Unavailable', '502', '503', '504'] };

function isAway(error: unknown): boolean {
  return error instanceof MlalmError && AWAY.codes.includes(error.fault.code);
}

/** Whether a run has still to end. */
export function isUnderWay(run: IRun | null): boolean {
  return run !== null && RUNNING.includes(run.status);
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

  async run(path: string, told: (run: IRun) => void): Promise<IRun> {
    // the workspace around the notebook is meant, also when the panel shows another
    const { workspace } = await requestPlace(path, this.settings);
    let run = await requestAPI<IRun>('experiment/run', { notebook: path, wait: false }, this.settings, workspace);
    this.askAnew();
    let missed = 0;
    for (let wait = WATCH_MS.first; isUnderWay(run); ) {
      told(run);
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
      return { workspace, folder, experiments, services, fault: null };
    } catch (error) {
      if (!(error instanceof MlalmError)) {
        throw error;
      }
      // while the server is away what it said stays; what it said of another workspace does not
      const isElsewhere = error.fault.code === 'WorkspaceNotFound';
      return { ...(isElsewhere ? NOTHING : kept), fault: error.fault };
    }
  }

  private _near = '';
  private _known = NOTHING;
  private _turn = 0;
  private _asking: Promise<void> | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
