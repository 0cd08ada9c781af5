import { IExperiment } from '../generated/api';
import { pairsOf, trainingOf } from './pairs';

function experiment(changes: Partial<IExperiment>): IExperiment {
  return { kind: 'training', parent: null, parent_id: null, created_at: '2026-01-01T00:00:00Z', ...changes } as IExperiment;
}

const CHURN = experiment({ id: 't', path: 'moved/churn.ipynb' });
const FIRST = experiment({ id: 'p', path: 'churn.predictive.ipynb', kind: 'predictive', parent: 'churn.ipynb', parent_id: 't' });
const SECOND = experiment({ ...FIRST, id: 'q', path: 'churn.predictive-2.ipynb', created_at: '2026-01-02T00:00:00Z' });
const SAVED_AS = experiment({ id: 'c', path: 'copy.ipynb', kind: 'predictive', parent: FIRST.path, parent_id: 'p' });
const COPY = experiment({ id: 's', path: 'other.ipynb', parent: CHURN.path, parent_id: 't' });
const ALL = [SECOND, COPY, CHURN, SAVED_AS, FIRST];

describe('pairs', () => {
  it('of a training notebook are all that were cut out of it, the oldest first, wherever it lies now', () => {
    expect(pairsOf(CHURN, ALL)).toEqual([
      { training: CHURN, predictive: FIRST },
      { training: CHURN, predictive: SECOND }
    ]);
  });

  it('of a predictive notebook are one', () => {
    expect(pairsOf(SECOND, ALL)).toEqual([{ training: CHURN, predictive: SECOND }]);
  });

  it('are none of notebooks that were only saved from others', () => {
    expect([...pairsOf(COPY, ALL), ...pairsOf(SAVED_AS, ALL)]).toEqual([]);
  });

  it('are none where the training notebook is gone', () => {
    expect(pairsOf(FIRST, [FIRST])).toEqual([]);
    expect(trainingOf(FIRST, [FIRST])).toBeNull();
  });

  it('go by the path where no id is known', () => {
    const old = experiment({ ...FIRST, parent: CHURN.path, parent_id: null });
    expect(trainingOf(old, [CHURN, old])).toBe(CHURN);
  });
});
