import { ServerConnection } from '@jupyterlab/services';

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
  const refusal = { message: "Snapshot '0193abcdef01' was not changed.", error: {} };

  class FakeRequest {
    readonly headers = { append: () => undefined, has: () => true };
    constructor(
      readonly url: string,
      readonly init: RequestInit
    ) {}
  }

  function refusing(asked: string[]): SnapshotDrive {
    const fetch = async (request: RequestInfo | URL): Promise<Response> => {
      const { url, init } = request as unknown as FakeRequest;
      asked.push(`${init.method} ${new URL(url).pathname}`);
      return { ok: false, status: 409, statusText: 'Conflict', json: async () => refusal } as Response;
    };
    return new SnapshotDrive(ServerConnection.makeSettings({ fetch, Request: FakeRequest as unknown as typeof Request }));
  }

  it('tells why nothing can be changed, in the words of the server', async () => {
    const asked: string[] = [];
    const drive = refusing(asked);
    const path = `train.ipynb/${ID}.locked.ipynb`;
    for (const change of [
      drive.save(path, {}),
      drive.rename(path, 'mine.ipynb'),
      drive.delete(path),
      drive.copy(path, ''),
      drive.newUntitled({ path: 'train.ipynb' }),
      drive.createCheckpoint(path),
      drive.restoreCheckpoint(path, '1')
    ]) {
      await expect(change).rejects.toThrow(refusal.message);
    }
    expect(asked.map(one => one.split(' ')[0])).toEqual(['PUT', 'PATCH', 'DELETE', 'POST', 'POST', 'POST', 'POST']);
    expect(asked.every(one => one.includes('/mlalm/snapshots'))).toBe(true);
  });

  it('has snapshots downloaded from the same place', async () => {
    const url = await refusing([]).getDownloadUrl('a b.ipynb/x.locked.ipynb');
    expect(url).toMatch(/\/mlalm\/snapshots\/a%20b.ipynb\/x.locked.ipynb\?download=1$/);
  });
});
