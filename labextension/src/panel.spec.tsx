import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';

import { IActions } from './actions';
import { IExperiment, IRun, IWebService } from './generated/api';
import { LifecyclePanel, PanelContent } from './panel';
import { ILifecycle } from './tokens';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

function run(changes: Partial<IRun>): IRun {
  return { id: 'r', status: 'Finished', cells_done: 2, cells_total: 3, created_at: '2026-01-01T00:00:00Z', ...changes } as IRun;
}

const EXPERIMENT = { id: 'e', path: 'a/train.ipynb', name: 'train', run_count: 2, last_run: run({}) } as IExperiment;
const SERVICE = {
  id: 's',
  name: 'bikes',
  kind: 'classic',
  state: 'running',
  region: null,
  endpoints: [{ id: 'p', name: 'autumn', reference: 'bikes/autumn', model: 'bikes:2', revision: 2, address: 'http://x', definition_hash: 'd'.repeat(64), updated_at: '2026-01-01T00:00:00Z' }]
} as unknown as IWebService;

function lifecycle(changes: Partial<ILifecycle>): ILifecycle {
  const one = {
    experiments: [],
    services: [],
    folder: '',
    fault: null,
    isLoading: false,
    isBusy: false,
    isOpen: () => false,
    setOpen: jest.fn(),
    showMore: jest.fn(),
    history: () => null,
    refresh: jest.fn(),
    run: jest.fn(),
    ...changes
  };
  return { ...one, changed: new Signal(one) } as unknown as ILifecycle;
}

function actionsOf(): Record<keyof IActions, jest.Mock> {
  return { open: jest.fn(), show: jest.fn(), copy: jest.fn(), both: jest.fn(), setUp: jest.fn() };
}

function shown(state: ILifecycle, actions = actionsOf()): HTMLElement {
  const host = document.createElement('div');
  act(() => createRoot(host).render(<PanelContent lifecycle={state} actions={actions} />));
  return host;
}

describe('the panel', () => {
  it('says what to do where there is nothing yet', () => {
    const text = shown(lifecycle({})).textContent;
    expect(text).toContain('Run (snapshot)');
    expect(text).toContain('%deploy NAME:1 SERVICE');
  });

  it('says that it is asking', () => {
    expect(shown(lifecycle({ isLoading: true })).querySelector('[role=status]')?.textContent).toContain('Asking');
  });

  it('shows what is wrong, why, and what to do', () => {
    const fault = { code: 'WorkspaceNotFound', what: 'No workspace here.', why: 'None above.', fix: 'mlalm workspace init' };
    const alert = shown(lifecycle({ fault })).querySelector('[role=alert]');
    expect(alert?.textContent).toBe('No workspace here. None above.mlalm workspace init');
  });

  it('opens an experiment when its name is pressed', () => {
    const actions = actionsOf();
    const host = shown(lifecycle({ experiments: [EXPERIMENT] }), actions);
    expect(host.textContent).toContain('✓ Finished');
    expect(host.textContent).toContain('2 runs');
    act(() => host.querySelector<HTMLButtonElement>('.mlalm-item')?.click());
    expect(actions.open).toHaveBeenCalledWith(EXPERIMENT);
  });

  it('lists the runs of an experiment that is open: the draft, which is edited, and the locked ones', () => {
    const actions = actionsOf();
    const draft = run({ id: 'e', status: 'Draft', is_editable: true, path: 'a/train.ipynb' });
    const one = run({ id: '01a1fd2b012345', message: 'before', metrics: { auc: 0.912345 } });
    const history = () => ({ runs: [draft, run({ id: 'ffff', status: 'Running' }), one], hasMore: true });
    const state = lifecycle({ experiments: [EXPERIMENT], isOpen: () => true, history });
    const host = shown(state, actions);
    const list = host.querySelector('[aria-label="Runs of train"].mlalm-runs');
    const lines = [...(list?.querySelectorAll('button') ?? [])];
    expect(lines.map(line => line.querySelector('.mlalm-status')?.textContent)).toEqual([
      '✎ Draft, editable',
      '▸ Running 2/3',
      '✓ Finished'
    ]);
    expect(lines[2].textContent).toContain('01a1fd2b0123');
    expect(lines[2].textContent).toContain('beforeauc 0.9123');
    expect(lines[1].querySelector('progress')?.getAttribute('aria-valuetext')).toBe('2 of 3 cells');
    act(() => lines.forEach(line => line.click()));
    expect(actions.open).toHaveBeenCalledWith(EXPERIMENT);
    expect(actions.show.mock.calls.map(([shown]) => shown.id)).toEqual(['ffff', '01a1fd2b012345']);
    act(() => host.querySelector<HTMLButtonElement>('[aria-label="Show more runs of train"]')?.click());
    expect(state.showMore).toHaveBeenCalledWith(EXPERIMENT);
  });

  it('opens and closes the runs of an experiment', () => {
    const state = lifecycle({ experiments: [EXPERIMENT] });
    const toggle = shown(state).querySelector<HTMLButtonElement>('.mlalm-toggle');
    expect([toggle?.getAttribute('aria-label'), toggle?.getAttribute('aria-expanded')]).toEqual(['Runs of train', 'false']);
    act(() => toggle?.click());
    expect(state.setOpen).toHaveBeenCalledWith(EXPERIMENT, true);
  });

  it('lists many experiments in pages', () => {
    const experiments = Array.from({ length: 45 }, (_, n) => ({ ...EXPERIMENT, id: `e${n}`, name: `train${n}` }));
    const host = shown(lifecycle({ experiments }));
    const count = () => host.querySelectorAll('.mlalm-experiment').length;
    expect(count()).toBe(20);
    act(() => host.querySelector<HTMLButtonElement>('.mlalm-more')?.click());
    act(() => host.querySelector<HTMLButtonElement>('.mlalm-more')?.click());
    expect([count(), host.querySelector('.mlalm-more')]).toEqual([45, null]);
  });

  it('tells notebooks of one name apart by their folders', () => {
    const other = { ...EXPERIMENT, id: 'f', path: 'train.ipynb' };
    const lone = { ...EXPERIMENT, id: 'g', path: 'b/score.ipynb', name: 'score' };
    const text = shown(lifecycle({ experiments: [EXPERIMENT, other, lone] })).textContent;
    expect(text).toContain('trainin a/');
    expect(text).toContain('trainin ./');
    expect(text).not.toContain('in b/');
  });

  it('says why an address cannot be copied', () => {
    const service = { ...SERVICE, endpoints: [{ ...SERVICE.endpoints[0], address: null }] };
    const host = shown(lifecycle({ services: [service] }));
    const copy = host.querySelector<HTMLButtonElement>('.mlalm-copy');
    expect(copy?.disabled).toBe(true);
    const why = host.querySelector(`#${copy?.getAttribute('aria-describedby')}`);
    expect(why?.textContent).toContain('mlalm server start');
    const text = shown(lifecycle({ services: [SERVICE] })).textContent;
    expect(text).not.toContain('No address');
  });

  it('shows how far a run is, and why one failed', () => {
    const running = { ...EXPERIMENT, last_run: run({ status: 'Running' }) };
    expect(shown(lifecycle({ experiments: [running] })).querySelector('progress')?.value).toBe(2);
    const failed = { ...EXPERIMENT, last_run: run({ status: 'Failed', cause: 'NameError: x' }) };
    expect(shown(lifecycle({ experiments: [failed] })).textContent).toContain('✗ Failed');
    expect(shown(lifecycle({ experiments: [failed] })).textContent).toContain('NameError: x');
  });

  it('names what each endpoint serves and copies its address', () => {
    const actions = actionsOf();
    const host = shown(lifecycle({ services: [SERVICE] }), actions);
    expect(host.textContent).toContain('bikes:2');
    expect(host.textContent).toContain('rev. 2');
    const copy = host.querySelector<HTMLButtonElement>('[aria-label="Copy the address of bikes/autumn"]');
    act(() => copy?.click());
    expect(actions.copy).toHaveBeenCalledWith(SERVICE.endpoints[0]);
  });
});

describe('a training notebook and what was cut out of it', () => {
  const training = { ...EXPERIMENT, id: 't', kind: 'training', parent: null, parent_id: null, created_at: '1' };
  const predictive = { ...training, id: 'p', name: 'train.predictive', path: 'a/train.predictive.ipynb', kind: 'predictive', parent_id: 't', parent: 'a/train.ipynb' };
  const second = { ...predictive, id: 'q', name: 'train.predictive-2', path: 'a/train.predictive-2.ipynb', created_at: '2' };

  function listed(experiments: IExperiment[], isOpen = false): { host: HTMLElement; actions: ReturnType<typeof actionsOf> } {
    const actions = actionsOf();
    return { host: shown(lifecycle({ experiments, isOpen: () => isOpen }), actions), actions };
  }

  it('are named on each other, every one that there is', () => {
    const { host } = listed([training, predictive, second]);
    const lines = (name: string) => [...host.querySelectorAll(`[aria-label="${name}"] li`)].map(one => one.textContent);
    expect(lines('Cut out of train')).toEqual(['predictive: train.predictiveOpen both', 'predictive: train.predictive-2Open both']);
    expect(lines('Origin of train.predictive')).toEqual(['cut out of trainOpen both']);
    expect(lines('Origin of train.predictive-2')).toEqual(['cut out of trainOpen both']);
  });

  it('are opened, one or both', () => {
    const { host, actions } = listed([training, predictive]);
    const press = (name: string) => act(() => host.querySelector<HTMLButtonElement>(`button[aria-label="${name}"]`)?.click());
    press('Open both, train and train.predictive, side by side');
    expect(actions.both).toHaveBeenCalledWith({ training, predictive });
    press('Go to a/train.predictive.ipynb');
    expect(actions.open).toHaveBeenCalledWith(predictive);
  });

  it('says what one was cut out of when that is gone', () => {
    const { host } = listed([predictive]);
    expect(host.textContent).toContain('cut out of a/train.ipynb');
    expect(host.textContent).not.toContain('Open both');
  });

  it('offers to set up what has run and has none yet', () => {
    const offer = 'button[aria-label="Set up predictive service of train"]';
    expect(listed([training]).host.querySelector(offer)).toBeNull();
    expect(listed([{ ...training, last_run: null }], true).host.querySelector(offer)).toBeNull();
    expect(listed([training, predictive], true).host.querySelector(offer)).toBeNull();
    const { host, actions } = listed([training], true);
    act(() => host.querySelector<HTMLButtonElement>(offer)?.click());
    expect(actions.setUp).toHaveBeenCalledWith(training);
  });
});

describe('a New service', () => {
  it('is one line with its region and its own address, and has no endpoints', () => {
    const [{ model, revision, address, definition_hash, updated_at }] = SERVICE.endpoints;
    const service = { ...SERVICE, kind: 'new', region: 'west', endpoints: [], model, revision, address, definition_hash, updated_at };
    const actions = actionsOf();
    const host = shown(lifecycle({ services: [service as unknown as IWebService] }), actions);
    expect(host.textContent).toContain('west');
    expect(host.textContent).toContain('bikes:2');
    expect(host.querySelector('[aria-label="Endpoints of bikes"]')).toBeNull();
    act(() => host.querySelector<HTMLButtonElement>('[aria-label="Copy the address of bikes"]')?.click());
    expect(actions.copy).toHaveBeenCalledWith(expect.objectContaining({ address: 'http://x' }));
  });
});

describe('asking for news', () => {
  const hideThePage = (hidden: boolean) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    jest.useRealTimers();
    hideThePage(false);
  });

  async function looking(state: Partial<ILifecycle>): Promise<{ panel: LifecyclePanel; refresh: jest.Mock }> {
    const refresh = jest.fn().mockResolvedValue(undefined);
    const panel = new LifecyclePanel(lifecycle({ ...state, refresh }), actionsOf(), () => 10_000);
    panel.hide();
    act(() => Widget.attach(panel, document.body));
    return { panel, refresh };
  }

  it('happens only while the panel and the page are seen', async () => {
    const { panel, refresh } = await looking({});
    await act(() => jest.advanceTimersByTimeAsync(60_000));
    expect(refresh).toHaveBeenCalledTimes(0);
    act(() => panel.show());
    await act(() => jest.advanceTimersByTimeAsync(25_000));
    expect(refresh).toHaveBeenCalledTimes(3);
    hideThePage(true);
    await act(() => jest.advanceTimersByTimeAsync(60_000));
    expect(refresh).toHaveBeenCalledTimes(3);
    hideThePage(false);
    expect(refresh).toHaveBeenCalledTimes(4);
    panel.hide();
    await act(() => jest.advanceTimersByTimeAsync(60_000));
    expect(refresh).toHaveBeenCalledTimes(4);
    act(() => panel.dispose());
  });

  it('is quicker while something runs', async () => {
    const { panel, refresh } = await looking({ isBusy: true });
    act(() => panel.show());
    await act(() => jest.advanceTimersByTimeAsync(9_000));
    expect(refresh).toHaveBeenCalledTimes(5);
    act(() => panel.dispose());
    await act(() => jest.advanceTimersByTimeAsync(9_000));
    expect(refresh).toHaveBeenCalledTimes(5);
  });
});
