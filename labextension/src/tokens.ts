import { Token } from '@lumino/coreutils';
import { ISignal } from '@lumino/signaling';

import { IExperiment, IFault, IRun, ISetUp, IWebService } from './generated/api';
import { IFar } from './request';

/** The newest lines of an experiment's history: the draft first, then runs, newest first. */
export interface IHistory {
  readonly runs: readonly IRun[];
  /** Whether there are older ones that were not asked for. */
  readonly hasMore: boolean;
}

/** What the panel shows: the workspace as it was when last asked. */
export interface ILifecycle {
  readonly experiments: readonly IExperiment[];
  readonly services: readonly IWebService[];
  /** Where the workspace lies below the folder that Jupyter serves; null when it lies elsewhere. */
  readonly folder: string | null;
  readonly fault: IFault | null;
  /** Whether the first answer is still to come. */
  readonly isLoading: boolean;
  /** Whether something runs, so that news are near. */
  readonly isBusy: boolean;
  readonly changed: ISignal<ILifecycle, void>;
  refresh(): Promise<void>;
  /** From the next refresh on, show the workspace around a file of the folder that Jupyter serves. */
  moveTo(near: string): void;
  /** Whether the history of an experiment is asked for; that of the notebook at hand is, unless it was closed. */
  isOpen(experiment: IExperiment): boolean;
  /** Ask for the history of an experiment from now on, or no longer. */
  setOpen(experiment: IExperiment, isOpen: boolean): void;
  /** Ask for more lines of it. */
  showMore(experiment: IExperiment): void;
  /** What is known of it; null before the first answer. */
  history(experiment: IExperiment): IHistory | null;
  /** Take a snapshot of a notebook, queue its run, and follow it to its end. */
  run(path: string, told: (run: IRun) => void): Promise<IRun>;
  /** Have the predictive notebook cut out of a training notebook, and follow that to its end. */
  setUp(path: string, told: (far: IFar) => void): Promise<ISetUp>;
}

/** The lifecycle of the workspace, for other extensions too. */
export const ILifecycle = new Token<ILifecycle>(
  'mlalm-jupyter:ILifecycle',
  'The experiments and services of the workspace.'
);
