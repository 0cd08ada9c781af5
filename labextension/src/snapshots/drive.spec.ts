import { Contents, ServerConnection } from '@jupyterlab/services';

import { shortId, snapshotAt, snapshotPath, SnapshotDrive } from './drive';

const ID = '0193abcdef0123456789abcdef012345';

describe('the paths of snapshots', () => {
  it('name the notebook as the page does, and the run', () => {
    const path = snapshotPath('rides', { id: ID, path: 'deep/train.ipynb' });
    expect(path).toBe(`mlalm:rides/deep/train.ipynb/${ID}.locked.ipynb`);
    expect(snapshotAt(path)).toEqual({ run: ID, notebook: 'rides/deep/train.ipynb' });
  });

  it('begin at the workspace where Jupyter does not serve its folder', () => {
    expect(snapshotPath(null, { id: ID, path: 'train.ipynb' })).toBe(`mlalm:train.ipynb/${ID}.locked.ipynb`);
  });

  it.each([`rides/train.ipynb/${ID}.locked.ipynb`, 'mlalm:rides/train.ipynb', 'rides/train.ipynb'])(
    'are no others, such as %s',
    path => expect(snapshotAt(path)).toBeNull()
  );

  it('are shortened to what tells runs apart', () => {
    expect(shortId(ID)).toBe('0193abcdef01');
  });
});

describe('the drive', () => {
  const fault = { code: 'SnapshotLocked', what: 'It was not changed.', why: 'It is locked.', fix: 'Save it as another.' };

  class FakeRequest {
    readonly headers = { append: () => undefined, has: () => true };
    constructor(
      readonly url: string,
      readonly init: RequestInit
    ) {}
  }

  function answering(status: number, asked: string[] = [], tell = jest.fn()): SnapshotDrive {
    const fetch = async (request: RequestInfo | URL): Promise<Response> => {
      const { url, init } = request as unknown as FakeRequest;
      asked.push(`${init.method} ${new URL(url).pathname}`);
      return { ok: status < 400, status, statusText: '', json: async () => ({ error: fault }) } as Response;
    };
    const Request = FakeRequest as unknown as typeof globalThis.Request;
    return new SnapshotDrive(ServerConnection.makeSettings({ fetch, Request }), tell);
  }

  const path = `train.ipynb/${ID}.locked.ipynb`;
  const changes: Record<string, (drive: Contents.IDrive) => Promise<unknown>> = {
    save: drive => drive.save(path, {}),
    rename: drive => drive.rename(path, 'mine.ipynb'),
    delete: drive => drive.delete(path),
    copy: drive => drive.copy(path, ''),
    newUntitled: drive => drive.newUntitled({ path }),
    createCheckpoint: drive => drive.createCheckpoint(path),
    restoreCheckpoint: drive => drive.restoreCheckpoint(path, '1'),
    deleteCheckpoint: drive => drive.deleteCheckpoint(path, '1')
  };

  it.each(Object.keys(changes))('refuses to %s, and tells why in the words of the server', async name => {
    const [asked, tell] = [[] as string[], jest.fn()];
    await expect(changes[name](answering(409, asked, tell))).rejects.toThrow('It was not changed. It is locked.');
    expect(asked).toEqual([`PUT /mlalm/snapshots/${path}`]);
    expect(tell).toHaveBeenCalledWith(fault);
  });

  it.each(Object.keys(changes))('never takes a %s for done, whatever it is answered', async name => {
    await expect(changes[name](answering(200))).rejects.toThrow();
  });

  it('has snapshots downloaded from the same place', async () => {
    const url = await answering(200).getDownloadUrl('a b.ipynb/x.locked.ipynb');
    expect(url).toMatch(/\/mlalm\/snapshots\/a%20b.ipynb\/x.locked.ipynb\?download=1$/);
  });
});
