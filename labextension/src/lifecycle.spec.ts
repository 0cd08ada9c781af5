import { ServerConnection } from '@jupyterlab/services';

import { Lifecycle } from './lifecycle';

/** What jsdom lacks of a request. */
class FakeRequest {
  readonly headers = { append: () => undefined, has: () => true };
  constructor(
    readonly url: string,
    readonly init: RequestInit = {}
  ) {}
}

type Answer = { status: number; body: unknown };

function serving(
  answers: Record<string, Answer[]>,
  asked: string[] = [],
  urls: string[] = [],
  bodies: unknown[] = []
): ServerConnection.ISettings {
  const fetch = async (request: RequestInfo | URL): Promise<Response> => {
    const { url, init } = request as unknown as FakeRequest;
    bodies.push(JSON.parse(String(init.body ?? '{}')));
    const verb = url.replace(/.*\/mlalm\//, '').replace(/\?.*/, '');
    asked.push(verb);
    urls.push(url);
    const left = answers[verb];
    const { status, body } = left.length > 1 ? (left.shift() as Answer) : left[0];
    if (status === 0) {
      throw new TypeError('Failed to fetch');
    }
    return { ok: status === 200, status, statusText: '', json: async () => body } as Response;
  };
  return ServerConnection.makeSettings({ fetch, Request: FakeRequest as unknown as typeof Request });
}

const ok = (body: unknown): Answer => ({ status: 200, body });
const PLACE = { where: [ok({ workspace: '/w', folder: 'w' })] };

describe('the lifecycle', () => {
  it('takes experiments and services from the server', async () => {
    const settings = serving({ ...PLACE, 'api/experiment/list': [ok({ result: [{ id: 'e', path: 'a.ipynb', last_run: null }] })], 'api/service/list': [ok({ result: [] })] });
    const lifecycle = new Lifecycle(settings);
    expect(lifecycle.isLoading).toBe(true);
    await lifecycle.refresh();
    expect(lifecycle.experiments.map(one => one.id)).toEqual(['e']);
    expect([lifecycle.isLoading, lifecycle.fault, lifecycle.folder]).toEqual([false, null, 'w']);
  });

  it('asks once for two who ask at once', async () => {
    const asked: string[] = [];
    const settings = serving({ ...PLACE, 'api/experiment/list': [ok({ result: [] })], 'api/service/list': [ok({ result: [] })] }, asked);
    const lifecycle = new Lifecycle(settings);
    await Promise.all([lifecycle.refresh(), lifecycle.refresh()]);
    expect(asked.filter(verb => verb === 'where')).toHaveLength(1);
  });

  it('keeps the words of a refusal and what it knew before', async () => {
    const fault = { code: 'Unavailable', what: 'No.', why: 'Busy.', fix: 'Wait.' };
    const settings = serving({
      ...PLACE,
      'api/experiment/list': [ok({ result: [{ id: 'e', path: 'a.ipynb', last_run: null }] }), { status: 503, body: { error: fault } }],
      'api/service/list': [ok({ result: [] })]
    });
    const lifecycle = new Lifecycle(settings);
    await lifecycle.refresh();
    await lifecycle.refresh();
    expect(lifecycle.fault).toEqual(fault);
    expect(lifecycle.experiments).toHaveLength(1);
  });

  it('follows a run to its end', async () => {
    const told: string[] = [];
    const settings = serving({
      ...PLACE,
      'api/experiment/list': [ok({ result: [] })],
      'api/service/list': [ok({ result: [] })],
      'api/experiment/run': [ok({ result: { id: 'r', status: 'Queued' } })],
      'api/run/show': [ok({ result: { id: 'r', status: 'Running' } }), ok({ result: { id: 'r', status: 'Finished' } })]
    });
    const run = await new Lifecycle(settings).run('a.ipynb', now => told.push(now.status));
    expect(run.status).toBe('Finished');
    expect(told).toEqual(['Queued', 'Running']);
  });

  it('tells how far setting up a service is, until it answers', async () => {
    const far = { text: 'Running the notebook once more', done: 1, total: 4 };
    const urls: string[] = [];
    let answer: (body: Answer) => void = () => undefined;
    const made = new Promise<Answer>(resolve => (answer = resolve));
    const quick = serving(
      {
        ...PLACE,
        progress: [{ status: 503, body: null }, ok({ progress: null }), ok({ progress: far })],
        'api/experiment/list': [ok({ result: [] })],
        'api/service/list': [ok({ result: [] })]
      },
      [],
      urls
    );
    const fetch = async (request: RequestInfo | URL): Promise<Response> => {
      const { url } = request as unknown as FakeRequest;
      if (!url.includes('api/service/setup')) {
        return quick.fetch(request as RequestInfo);
      }
      urls.push(url);
      const { status, body } = await made;
      return { ok: true, status, json: async () => body } as Response;
    };
    const told: unknown[] = [];
    const lifecycle = new Lifecycle({ ...quick, fetch });
    const setUp = await lifecycle.setUp('w/a.ipynb', now => {
      told.push(now);
      answer(ok({ result: { source: 'a.ipynb' } }));
    });
    expect(setUp.source).toBe('a.ipynb');
    expect(told).toEqual([far]);
    const tickets = urls.filter(url => /setup|progress/.test(url)).map(url => new URL(url).searchParams.get('ticket'));
    expect(tickets.length).toBeGreaterThanOrEqual(4);
    expect(new Set(tickets).size).toBe(1);
    const asked = urls.length;
    await new Promise(resolve => setTimeout(resolve, 1500));
    expect(urls.slice(asked).filter(url => url.includes('progress'))).toEqual([]);
  });

  it('asks for the history of the notebook at hand, by its whole path, and of those a person opens', async () => {
    const asked: string[] = [];
    const bodies: unknown[] = [];
    const experiments = [
      { id: 'e', path: 'train.ipynb', last_run: null },
      { id: 'f', path: 'score.ipynb', last_run: null }
    ];
    const settings = serving(
      {
        ...PLACE,
        'api/experiment/list': [ok({ result: experiments })],
        'api/service/list': [ok({ result: [] })],
        'api/experiment/history': [ok({ result: [{ id: 'r', experiment_id: 'e', status: 'Running' }] })]
      },
      asked,
      [],
      bodies
    );
    const lifecycle = new Lifecycle(settings);
    lifecycle.moveTo('w/train.ipynb');
    await lifecycle.refresh();
    const [train, score] = lifecycle.experiments;
    expect([lifecycle.isOpen(train), lifecycle.isOpen(score), lifecycle.isBusy]).toEqual([true, false, true]);
    expect(lifecycle.history(train)?.runs.map(one => one.id)).toEqual(['r']);
    expect(lifecycle.history(score)).toBeNull();
    lifecycle.setOpen(train, false);
    lifecycle.setOpen(score, true);
    await lifecycle.refresh();
    const histories = bodies.filter(body => 'notebook' in (body as object));
    expect(histories.map(body => (body as { notebook: string }).notebook)).toContain('/w/score.ipynb');
    expect((histories[0] as { notebook: string }).notebook).toBe('/w/train.ipynb');
  });

  it('does without the history of an experiment that was deleted meanwhile', async () => {
    const settings = serving({
      ...PLACE,
      'api/experiment/list': [ok({ result: [{ id: 'e', path: 'train.ipynb', last_run: null }] })],
      'api/service/list': [ok({ result: [] })],
      'api/experiment/history': [{ status: 404, body: { error: { code: 'NotFound', what: 'No.' } } }]
    });
    const lifecycle = new Lifecycle(settings);
    lifecycle.moveTo('w/train.ipynb');
    await lifecycle.refresh();
    expect([lifecycle.fault, lifecycle.experiments.length]).toEqual([null, 1]);
  });

  it('goes on following a run when an answer fails to come', async () => {
    const told: string[] = [];
    const away = { code: 'Unavailable', what: 'No.', why: 'It starts.', fix: 'Wait.' };
    const settings = serving({
      ...PLACE,
      'api/experiment/list': [ok({ result: [] })],
      'api/service/list': [ok({ result: [] })],
      'api/experiment/run': [ok({ result: { id: 'r', status: 'Running' } })],
      'api/run/show': [
        { status: 0, body: null },
        { status: 503, body: { error: away } },
        { status: 502, body: null },
        ok({ result: { id: 'r', status: 'Finished' } })
      ]
    });
    const run = await new Lifecycle(settings).run('a.ipynb', now => told.push(now.status));
    expect(run.status).toBe('Finished');
    expect(told).toEqual(['Running', 'Running', 'Running', 'Running']);
  }, 20_000);

  it('ends following a run that the server refuses to show', async () => {
    const fault = { code: 'NotFound', what: 'No run.', why: 'It is gone.', fix: '' };
    const settings = serving({
      ...PLACE,
      'api/experiment/list': [ok({ result: [] })],
      'api/service/list': [ok({ result: [] })],
      'api/experiment/run': [ok({ result: { id: 'r', status: 'Running' } })],
      'api/run/show': [{ status: 404, body: { error: fault } }]
    });
    await expect(new Lifecycle(settings).run('a.ipynb', () => undefined)).rejects.toThrow('No run.');
  });

  it('says so when the server does not answer, or answers with a page', async () => {
    const fetch = jest.fn().mockRejectedValue(new TypeError('Failed to fetch'));
    const settings = ServerConnection.makeSettings({ fetch, Request: FakeRequest as unknown as typeof Request });
    const lifecycle = new Lifecycle(settings);
    await lifecycle.refresh();
    expect(lifecycle.fault?.what).toBe('The Jupyter server did not answer.');
    const page = new Lifecycle(serving({ where: [{ status: 404, body: null }] }));
    await page.refresh();
    expect(page.fault?.fix).toContain('server extension');
  });

  it('shows the workspace around the notebook at hand, and nothing of the one before', async () => {
    const asked: string[] = [];
    const settings = serving(
      {
        where: [ok({ workspace: '/w', folder: 'w' }), { status: 404, body: { error: { code: 'WorkspaceNotFound', what: 'No.' } } }],
        'api/experiment/list': [ok({ result: [{ id: 'e', path: 'a.ipynb', last_run: null }] })],
        'api/service/list': [ok({ result: [] })]
      },
      [],
      asked
    );
    const lifecycle = new Lifecycle(settings);
    await lifecycle.refresh();
    lifecycle.moveTo('other/a.ipynb');
    await lifecycle.refresh();
    expect(lifecycle.experiments).toEqual([]);
    expect(lifecycle.fault?.what).toBe('No.');
    const query = (verb: string, name: string) =>
      asked.filter(url => url.includes(verb)).map(url => new URL(url).searchParams.get(name));
    expect(query('/where', 'near')).toEqual([null, 'other/a.ipynb']);
    expect(query('service/list', 'workspace')).toEqual(['/w']);
  });

  it('believes the answer it asked for last, whichever comes first', async () => {
    const slow: ((answer: Response) => void)[] = [];
    const fetch = (request: RequestInfo | URL): Promise<Response> => {
      const { url } = request as Request;
      const say = (body: unknown) => ({ ok: true, status: 200, json: async () => body }) as Response;
      if (url.includes('near=')) {
        return Promise.resolve(say({ workspace: '/new', folder: 'new' }));
      }
      if (url.includes('/where')) {
        return new Promise(resolve => slow.push(() => resolve(say({ workspace: '/old', folder: 'old' }))));
      }
      return Promise.resolve(say({ result: [] }));
    };
    const lifecycle = new Lifecycle(ServerConnection.makeSettings({ fetch, Request: FakeRequest as unknown as typeof Request }));
    const first = lifecycle.refresh();
    lifecycle.moveTo('new/a.ipynb');
    await lifecycle.refresh();
    slow.forEach(answer => answer({} as Response));
    await first;
    expect(lifecycle.folder).toBe('new');
  });
});
