import { IExperiment, IRun } from './generated/api';
import { IPair } from './predictive/pairs';
import { IServing } from './services/list';

/** What the panel can have done for it. */
export interface IActions {
  /** Open the notebook of an experiment, to be edited. */
  open: (experiment: IExperiment) => void;
  /** Open the snapshot of a run, locked. */
  show: (run: IRun) => void;
  copy: (what: IServing) => void;
  /** Show a training notebook and one that was cut out of it side by side. */
  both: (pair: IPair) => void;
  /** Have a predictive notebook cut out of a training notebook. */
  setUp: (experiment: IExperiment) => void;
}
