import { IRun } from '../generated/api';

const SIGNS: Record<string, string> = {
  Draft: '✎',
  Finished: '✓',
  Failed: '✗',
  Canceled: '–',
  Queued: '…',
  Running: '▸'
};

/** A run's status in words, with a sign before it and how far it is. */
export function runStatus(run: IRun): string {
  if (run.status === 'Draft') {
    return `${SIGNS.Draft} ${run.is_editable ? 'Draft, editable' : 'Draft, kept'}`;
  }
  const sign = SIGNS[run.status.split(' ')[0]] ?? '';
  const far = run.status === 'Running' ? ` ${run.cells_done}/${run.cells_total}` : '';
  return `${sign} ${run.status}${far}`.trim();
}

/** The first word of a status, by which it is coloured. */
export function statusKind(run: IRun): string {
  return run.status.split(' ')[0].toLowerCase();
}

/** Whether a run has still to end. */
export function isUnderWay(run: IRun | null): boolean {
  return run !== null && ['Queued', 'Running'].includes(run.status);
}
