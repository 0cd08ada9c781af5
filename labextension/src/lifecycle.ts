import { ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { IExperiment, IFault, IRun, IWebService } from './generated/api';
import { MlalmError, requestAPI, requestPlace } from './request';
import { ILifecycle } from './tokens';

const RUNNING = ['Queued', 'Running'];
const WATCH_MS = 300;

/** Whether a run has still to end. */
export function isUnderWay(run: IRun | null): boolean {
  return run !== null && RUNNING.includes(run.status);
}

/** Keeps what the server last said of the workspace. */
export class Lifecycle implements ILifecycle {
  constructor(private readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  get experiments(): readonly IExperiment[] {
    return this._experiments;
  }

  get services(): readonly IWebService[] {
    return this._services;
  }

  get folder(): string | null {
    return this._folder;
  }

  get fault(): IFault | null {
    return this._fault;
  }

  get isLoading(): boolean {
    return this._isLoading;
  }

  get changed(): ISignal<ILifecycle, void> {
    return this._changed;
  }

  /** Ask again; two callers at once share one answer. */
  refresh(): Promise<void> {
    this._asking ??= this.ask().finally(() => {
      this._asking = null;
    });
    return this._asking;
  }

  async run(path: string, told: (run: IRun) => void): Promise<IRun> {
    let run = await requestAPI<IRun>('experiment/run', { notebook: path, wait: false }, this.settings);
    void this.refresh();
    while (isUnderWay(run)) {
      told(run);
      await new Promise(resolve => setTimeout(resolve, WATCH_MS));
      run = await requestAPI<IRun>('run/show', { run: run.id }, this.settings);
    }
    void this.refresh();
    return run;
  }

  private async ask(): Promise<void> {
    try {
      const place = await requestPlace(this.settings);
      const [experiments, services] = await Promise.all([
        requestAPI<IExperiment[]>('experiment/list', {}, this.settings),
        requestAPI<IWebService[]>('service/list', {}, this.settings)
      ]);
      this._folder = place.folder;
      this._experiments = experiments;
      this._services = services;
      this._fault = null;
    } catch (error) {
      if (!(error instanceof MlalmError)) {
        throw error;
      }
      this._fault = error.fault;
    } finally {
      this._isLoading = false;
      this._changed.emit();
    }
  }

  private _experiments: IExperiment[] = [];
  private _services: IWebService[] = [];
  private _folder: string | null = null;
  private _fault: IFault | null = null;
  private _isLoading = true;
  private _asking: Promise<void> | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
