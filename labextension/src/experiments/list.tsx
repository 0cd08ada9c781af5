import * as React from 'react';

import { IExperiment, IRun } from '../generated/api';
import { isUnderWay } from '../lifecycle';
import { ago } from '../time';

const SIGNS: Record<string, string> = { Finished: '✓', Failed: '✗', Canceled: '–', Queued: '…', Running: '▸' };

/** A run's status in words, with a sign before it and how far it is. */
export function runStatus(run: IRun): string {
  const sign = SIGNS[run.status.split(' ')[0]] ?? '';
  const far = run.status === 'Running' ? ` ${run.cells_done}/${run.cells_total}` : '';
  return `${sign} ${run.status}${far}`.trim();
}

interface IProps {
  experiments: readonly IExperiment[];
  open: (experiment: IExperiment) => void;
}

/** The notebooks that were run here, the last run of each beneath it. */
export function ExperimentList({ experiments, open }: IProps): JSX.Element {
  if (experiments.length === 0) {
    return (
      <p className="mlalm-empty">
        No notebook has been run here yet. Open one and press <strong>Run (snapshot)</strong> in its toolbar.
      </p>
    );
  }
  return (
    <ul className="mlalm-list" aria-label="Experiments">
      {experiments.map(experiment => (
        <li key={experiment.id}>
          <button className="mlalm-item" title={`Open ${experiment.path}`} onClick={() => open(experiment)}>
            <span className="mlalm-name">{experiment.name}</span>
            {isOneOfMany(experiment, experiments) && <span className="mlalm-line">in {folderOf(experiment)}</span>}
            {experiment.last_run && <RunLine run={experiment.last_run} count={experiment.run_count} />}
          </button>
        </li>
      ))}
    </ul>
  );
}

function isOneOfMany(experiment: IExperiment, experiments: readonly IExperiment[]): boolean {
  return experiments.some(other => other.id !== experiment.id && other.name === experiment.name);
}

function folderOf(experiment: IExperiment): string {
  return experiment.path.slice(0, experiment.path.lastIndexOf('/') + 1) || './';
}

function RunLine({ run, count }: { run: IRun; count: number }): JSX.Element {
  const kind = run.status.split(' ')[0].toLowerCase();
  return (
    <>
      <span className="mlalm-line">
        <span className={`mlalm-status mlalm-status-${kind}`}>{runStatus(run)}</span>
        <span title={run.created_at}>{ago(run.ended_at ?? run.started_at ?? run.created_at)}</span>
        <span>{count === 1 ? '1 run' : `${count} runs`}</span>
      </span>
      {isUnderWay(run) && run.cells_total > 0 && (
        <progress className="mlalm-progress" max={run.cells_total} value={run.cells_done} aria-label="Cells done" />
      )}
      {run.cause && <span className="mlalm-cause">{run.cause}</span>}
    </>
  );
}
