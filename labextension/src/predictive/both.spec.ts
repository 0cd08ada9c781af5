import { IDocuments, IShell, openBoth } from './both';

const PATHS = { training: 'a/churn.ipynb', predictive: 'a/churn.predictive.ipynb' };

/** Documents that are open, each seen or behind another one; those that are opened are seen. */
function opened(seen: Record<string, boolean>): { documents: IDocuments; shell: IShell; done: unknown[] } {
  const done: unknown[] = [];
  const widgets = new Map(Object.entries(seen).map(([path, isVisible]) => [path, { id: `id of ${path}`, isVisible }]));
  const open = (path: string, options?: unknown) => {
    done.push(['open', path, options]);
    widgets.set(path, { id: `id of ${path}`, isVisible: true });
    return widgets.get(path);
  };
  const documents = {
    findWidget: (path: string) => widgets.get(path),
    open: (path: string, _: unknown, __: unknown, options: unknown) => open(path, options),
    openOrReveal: (path: string) => widgets.get(path) ?? open(path)
  } as unknown as IDocuments;
  const shell = {
    add: (widget: { id: string }, area: string, options: unknown) => done.push(['move', widget.id, area, options]),
    activateById: (id: string) => done.push(['activate', id])
  } as unknown as IShell;
  return { documents, shell, done };
}

const SPLIT = { mode: 'split-right', ref: `id of ${PATHS.training}` };
const RIGHT = `id of ${PATHS.predictive}`;

describe('both notebooks', () => {
  it('are opened side by side', () => {
    const { documents, shell, done } = opened({});
    openBoth(PATHS, documents, shell);
    expect(done).toEqual([
      ['open', PATHS.training, undefined],
      ['open', PATHS.predictive, SPLIT]
    ]);
  });

  it('are not opened twice, and stay where they are when both are seen', () => {
    const { documents, shell, done } = opened({ [PATHS.training]: true, [PATHS.predictive]: true });
    openBoth(PATHS, documents, shell);
    expect(done).toEqual([['activate', RIGHT]]);
  });

  it('are put side by side when one hides the other', () => {
    const { documents, shell, done } = opened({ [PATHS.training]: true, [PATHS.predictive]: false });
    openBoth(PATHS, documents, shell);
    expect(done).toEqual([
      ['move', RIGHT, 'main', SPLIT],
      ['activate', RIGHT]
    ]);
  });

  it('are left alone where there is no training notebook any more', () => {
    const { documents, shell, done } = opened({});
    openBoth(PATHS, { ...documents, openOrReveal: () => undefined }, shell);
    expect(done).toEqual([]);
  });
});
