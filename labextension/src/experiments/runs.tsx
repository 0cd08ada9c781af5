import * as React from 'react';

import { IExperiment, IRun } from '../generated/api';
import { shortId } from '../snapshots/drive';
import { ago, moment } from '../time';
import { IHistory } from '../tokens';
import { isUnderWay, runStatus, statusKind } from './status';

const SHOWN_METRICS = 2;

interface IProps {
  id: string;
  experiment: IExperiment;
  history: IHistory | null;
  open: () => void;
  show: (run: IRun) => void;
  more: () => void;
}

/** The runs of an experiment: the draft, which can be edited, and the locked ones below it. */
export function RunList({ id, experiment, history, open, show, more }: IProps): JSX.Element {
  if (history === null) {
    return (
      <p id={id} className="mlalm-empty" role="status">
        Asking for its runs…
      </p>
    );
  }
  return (
    <>
      <ul id={id} className="mlalm-list mlalm-runs" aria-label={`Runs of ${experiment.name}`}>
        {history.runs.map(run => (
          <li key={run.is_editable ? 'draft' : run.id}>
            {run.is_editable ? <Draft run={run} open={open} /> : <LockedRun run={run} show={show} />}
          </li>
        ))}
      </ul>
      {history.hasMore && (
        <button className="mlalm-more" aria-label={`Show more runs of ${experiment.name}`} onClick={more}>
          Show more
        </button>
      )}
    </>
  );
}

function Draft({ run, open }: { run: IRun; open: () => void }): JSX.Element {
  return (
    <button className="mlalm-item mlalm-run" title={`Open ${run.path}, saved ${moment(run.created_at)}`} onClick={open}>
      <span className="mlalm-line">
        <span className="mlalm-status mlalm-status-draft">{runStatus(run)}</span>
        <span className="mlalm-when">{ago(run.created_at)}</span>
      </span>
    </button>
  );
}

function LockedRun({ run, show }: { run: IRun; show: (run: IRun) => void }): JSX.Element {
  return (
    <button
      className="mlalm-item mlalm-run"
      title={`Open run ${shortId(run.id)} of ${moment(run.created_at)}, locked`}
      onClick={() => show(run)}
    >
      <RunLine run={run} when={run.ended_at ?? run.started_at ?? run.created_at} />
    </button>
  );
}

/** How a run went, or how far it is, and what it measured. */
export function RunLine({ run, when }: { run: IRun; when?: string }): JSX.Element {
  const metrics = Object.entries(run.metrics ?? {}).slice(0, SHOWN_METRICS);
  return (
    <>
      <span className="mlalm-line">
        <span className={`mlalm-status mlalm-status-${statusKind(run)}`}>{runStatus(run)}</span>
        {when && <span className="mlalm-when">{ago(when)}</span>}
        {when && <code>{shortId(run.id)}</code>}
      </span>
      {isUnderWay(run) && run.cells_total > 0 && (
        <progress
          className="mlalm-progress"
          max={run.cells_total}
          value={run.cells_done}
          aria-label={`Cells done of run ${shortId(run.id)}`}
          aria-valuetext={`${run.cells_done} of ${run.cells_total} cells`}
        />
      )}
      {(run.message || metrics.length > 0) && (
        <span className="mlalm-line">
          {run.message && <span>{run.message}</span>}
          {metrics.map(([name, value]) => (
            <span key={name}>
              {name} {rounded(value)}
            </span>
          ))}
        </span>
      )}
      {run.cause && <span className="mlalm-cause">{run.cause}</span>}
    </>
  );
}

function rounded(value: unknown): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
}
