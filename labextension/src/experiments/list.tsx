import * as React from 'react';

import { IActions } from '../actions';
import { IExperiment } from '../generated/api';
import { PairLines } from '../predictive/lines';
import { ago } from '../time';
import { ILifecycle } from '../tokens';
import { RunLine, RunList } from './runs';

/** How many experiments are listed before a person asks for more. */
const PAGE = 20;

interface IProps extends Pick<IActions, 'open' | 'show' | 'both' | 'setUp'> {
  lifecycle: ILifecycle;
}

/** The notebooks that were run here, with the runs of each beneath it. */
export function ExperimentList({ lifecycle, ...actions }: IProps): JSX.Element {
  const [count, setCount] = React.useState(PAGE);
  const { experiments } = lifecycle;
  if (experiments.length === 0) {
    return (
      <p className="mlalm-empty">
        No notebook has been run here yet. Open one and press <strong>Run (snapshot)</strong> in its toolbar.
      </p>
    );
  }
  return (
    <>
      <ul className="mlalm-list" aria-label="Experiments">
        {experiments.slice(0, count).map(experiment => (
          <ExperimentItem key={experiment.id} experiment={experiment} lifecycle={lifecycle} {...actions} />
        ))}
      </ul>
      {experiments.length > count && (
        <button className="mlalm-more" onClick={() => setCount(count + PAGE)}>
          Show more experiments ({experiments.length - count})
        </button>
      )}
    </>
  );
}

function ExperimentItem({ experiment, lifecycle, ...actions }: IProps & { experiment: IExperiment }): JSX.Element {
  const { open, show } = actions;
  const isOpen = lifecycle.isOpen(experiment);
  const runs = `mlalm-runs-${experiment.id}`;
  const run = experiment.last_run;
  return (
    <li className="mlalm-experiment">
      <div className="mlalm-experiment-head">
        <button
          className="mlalm-toggle"
          aria-label={`Runs of ${experiment.name}`}
          aria-expanded={isOpen}
          aria-controls={isOpen ? runs : undefined}
          onClick={() => lifecycle.setOpen(experiment, !isOpen)}
        >
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <path d="M4 2l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.6" />
          </svg>
        </button>
        <button className="mlalm-item" title={`Open ${experiment.path}`} onClick={() => open(experiment)}>
          <span className="mlalm-name">{experiment.name}</span>
          <span className="mlalm-line">
            {isOneOfMany(experiment, lifecycle.experiments) && <span>in {folderOf(experiment)}</span>}
            <span>{experiment.run_count === 1 ? '1 run' : `${experiment.run_count} runs`}</span>
            {!isOpen && run && <span>{ago(run.ended_at ?? run.started_at ?? run.created_at)}</span>}
          </span>
          {!isOpen && run && <RunLine run={run} />}
        </button>
      </div>
      <PairLines experiment={experiment} experiments={lifecycle.experiments} isOpen={isOpen} {...actions} />
      {isOpen && (
        <RunList
          id={runs}
          experiment={experiment}
          history={lifecycle.history(experiment)}
          open={() => open(experiment)}
          show={show}
          more={() => lifecycle.showMore(experiment)}
        />
      )}
    </li>
  );
}

function isOneOfMany(experiment: IExperiment, experiments: readonly IExperiment[]): boolean {
  return experiments.some(other => other.id !== experiment.id && other.name === experiment.name);
}

function folderOf(experiment: IExperiment): string {
  return experiment.path.slice(0, experiment.path.lastIndexOf('/') + 1) || './';
}
