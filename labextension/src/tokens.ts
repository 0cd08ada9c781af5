import { Token } from '@lumino/coreutils';
import { ISignal } from '@lumino/signaling';

import { IExperiment, IFault, IRun, IWebService } from './generated/api';

/** What the panel shows: the workspace as it was when last asked. */
export interface ILifecycle {
  readonly experiments: readonly IExperiment[];
  readonly services: readonly IWebService[];
  /** Where the workspace lies below the folder that Jupyter serves; null when it lies elsewhere. */
  readonly folder: string | null;
  readonly fault: IFault | null;
  /** Whether the first answer is still to come. */
  readonly isLoading: boolean;
  readonly changed: ISignal<ILifecycle, void>;
  refresh(): Promise<void>;
  /** From the next refresh on, show the workspace around a file of the folder that Jupyter serves. */
  moveTo(near: string): void;
  /** Take a snapshot of a notebook, queue its run, and follow it to its end. */
  run(path: string, told: (run: IRun) => void): Promise<IRun>;
}

/** The lifecycle of the workspace, for other extensions too. */
export const ILifecycle = new Token<ILifecycle>(
  'mlalm-jupyter:ILifecycle',
  'The experiments and services of the workspace.'
);
