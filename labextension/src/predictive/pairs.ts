import { IExperiment } from '../generated/api';

/** A training notebook, and one that was cut out of it. */
export interface IPair {
  readonly training: IExperiment;
  readonly predictive: IExperiment;
}

/** The training notebook that a predictive one was cut out of; null for others, and where it is gone. */
export function trainingOf(experiment: IExperiment, experiments: readonly IExperiment[]): IExperiment | null {
  if (experiment.kind !== 'predictive') {
    return null;
  }
  return experiments.find(one => one.kind !== 'predictive' && isParent(one, experiment)) ?? null;
}

/** The pairs that a notebook is part of: one for a predictive notebook, one for each that was cut out of a training one. */
export function pairsOf(experiment: IExperiment, experiments: readonly IExperiment[]): IPair[] {
  const training = trainingOf(experiment, experiments);
  if (training) {
    return [{ training, predictive: experiment }];
  }
  return experiments
    .filter(one => trainingOf(one, experiments)?.id === experiment.id)
    .sort((one, other) => one.created_at.localeCompare(other.created_at))
    .map(predictive => ({ training: experiment, predictive }));
}

/** By its id, because the training notebook may have been moved. */
function isParent(one: IExperiment, experiment: IExperiment): boolean {
  return experiment.parent_id === null ? one.path === experiment.parent : one.id === experiment.parent_id;
}
