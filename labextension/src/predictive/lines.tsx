import * as React from 'react';

import { IActions } from '../actions';
import { IExperiment } from '../generated/api';
import { IPair, pairsOf, trainingOf } from './pairs';

interface IProps extends Pick<IActions, 'open' | 'both' | 'setUp'> {
  experiment: IExperiment;
  experiments: readonly IExperiment[];
  /** Whether all there is to it is shown. */
  isOpen: boolean;
}

/** Which notebook an experiment was cut out of, or which ones were cut out of it. */
export function PairLines({ experiment, experiments, isOpen, open, both, setUp }: IProps): JSX.Element | null {
  const isPredictive = experiment.kind === 'predictive';
  const pairs = pairsOf(experiment, experiments);
  if (pairs.length > 0) {
    return (
      <ul className="mlalm-list mlalm-pairs" aria-label={isPredictive ? `Origin of ${experiment.name}` : `Cut out of ${experiment.name}`}>
        {pairs.map(pair => (
          <PairLine key={pair.predictive.id} pair={pair} isPredictive={isPredictive} open={open} both={both} />
        ))}
      </ul>
    );
  }
  if (isPredictive && experiment.parent && !trainingOf(experiment, experiments)) {
    return <p className="mlalm-pairs mlalm-line">cut out of {experiment.parent}</p>;
  }
  const hasRun = experiment.last_run?.status === 'Finished';
  if (isPredictive || !isOpen || !hasRun) {
    return null;
  }
  return (
    <button className="mlalm-more" aria-label={`Set up predictive service of ${experiment.name}`} onClick={() => setUp(experiment)}>
      Set up predictive service
    </button>
  );
}

interface ILineProps extends Pick<IActions, 'open' | 'both'> {
  pair: IPair;
  isPredictive: boolean;
}

function PairLine({ pair, isPredictive, open, both }: ILineProps): JSX.Element {
  const other = isPredictive ? pair.training : pair.predictive;
  return (
    <li className="mlalm-pair">
      <span className="mlalm-pair-what">
        {isPredictive ? 'cut out of ' : 'predictive: '}
        <button className="mlalm-other" aria-label={`Go to ${other.path}`} onClick={() => open(other)}>
          {other.name}
        </button>
      </span>
      <button
        className="mlalm-copy"
        aria-label={`Open both, ${pair.training.name} and ${pair.predictive.name}, side by side`}
        onClick={() => both(pair)}
      >
        Open both
      </button>
    </li>
  );
}
