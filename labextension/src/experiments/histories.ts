import { IExperiment, IRun } from '../generated/api';
import { IHistory } from '../tokens';

const PAGE = 6;
const NEXT = 20;

/** Which histories are asked for, how much of each, and what is known of them. */
export class Histories {
  /** Whether an experiment's history is shown: as a person said, else when its notebook is the one at hand. */
  isOpen(experiment: IExperiment, isAtHand: boolean): boolean {
    return this._said.get(experiment.id) ?? isAtHand;
  }

  setOpen(experiment: IExperiment, isOpen: boolean): void {
    this._said.set(experiment.id, isOpen);
    if (!isOpen) {
      this._counts.delete(experiment.id);
    }
  }

  showMore(experiment: IExperiment): void {
    this._counts.set(experiment.id, this.count(experiment) + NEXT);
  }

  /** How many runs are shown. */
  count(experiment: IExperiment): number {
    return this._counts.get(experiment.id) ?? PAGE;
  }

  /** How many to ask for: one more than is shown tells whether there are more. */
  limit(experiment: IExperiment): number {
    return this.count(experiment) + 1;
  }

  /** Keep an answer. */
  keep(experiment: IExperiment, lines: readonly IRun[]): void {
    this._known.set(experiment.id, lines);
  }

  of(experiment: IExperiment): IHistory | null {
    const lines = this._known.get(experiment.id);
    if (!lines) {
      return null;
    }
    const drafts = lines.filter(one => one.is_editable);
    const runs = lines.filter(one => !one.is_editable);
    const count = this.count(experiment);
    return { runs: [...drafts, ...runs.slice(0, count)], hasMore: runs.length > count };
  }

  /** Put what is newly known of a run where it stands, or on top when it is new. */
  put(run: IRun): void {
    const lines = this._known.get(run.experiment_id);
    if (!lines) {
      return;
    }
    const isThere = lines.some(one => one.id === run.id);
    const drafts = lines.filter(one => one.is_editable);
    const rest = lines.filter(one => !one.is_editable);
    this._known.set(run.experiment_id, isThere ? lines.map(one => (one.id === run.id ? run : one)) : [...drafts, run, ...rest]);
  }

  /** Every run that is known. */
  get runs(): readonly IRun[] {
    return [...this._known.values()].flat();
  }

  /** Forget what is known of experiments that are not among these. */
  forgetOthers(experiments: readonly IExperiment[]): void {
    const ids = new Set(experiments.map(one => one.id));
    for (const id of this._known.keys()) {
      if (!ids.has(id)) {
        this._known.delete(id);
      }
    }
  }

  private readonly _said = new Map<string, boolean>();
  private readonly _counts = new Map<string, number>();
  private readonly _known = new Map<string, readonly IRun[]>();
}
