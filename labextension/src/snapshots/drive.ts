import { PathExt, URLExt } from '@jupyterlab/coreutils';
import { Contents, Drive, ServerConnection } from '@jupyterlab/services';

import { IFault, IRun } from '../generated/api';
import { MlalmError, requestRefusal } from '../request';

/** What the paths of locked snapshots begin with, before a colon. */
export const DRIVE = 'mlalm';

const ENDING = '.locked.ipynb';

/** The names of locked snapshots: no file of a person is called so. */
export const LOCKED_NAMES = '^[0-9a-f]{32}\\.locked\\.ipynb$';

/** Locked snapshots: what would change one is asked of a route that refuses it, and told in its words.
 *
 * JupyterLab itself tells of few refusals.
 */
export class SnapshotDrive extends Drive {
  constructor(
    serverSettings: ServerConnection.ISettings,
    private readonly tell: (fault: IFault) => void
  ) {
    super({ name: DRIVE, apiEndpoint: 'mlalm/snapshots', serverSettings });
  }

  save(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  rename(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  delete(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  copy(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  newUntitled(options?: Contents.ICreateOptions): Promise<never> {
    return this.refused(options?.path ?? '');
  }

  createCheckpoint(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  restoreCheckpoint(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  deleteCheckpoint(localPath: string): Promise<never> {
    return this.refused(localPath);
  }

  async getDownloadUrl(localPath: string): Promise<string> {
    const path = URLExt.encodeParts(localPath);
    return URLExt.join(this.serverSettings.baseUrl, 'mlalm/snapshots', path) + '?download=1';
  }

  /** There are none, because nothing of it changes. */
  async listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return [];
  }

  private async refused(localPath: string): Promise<never> {
    try {
      return await requestRefusal(localPath, this.serverSettings);
    } catch (error) {
      if (error instanceof MlalmError) {
        this.tell(error.fault);
      }
      throw error;
    }
  }
}

/** The document of a run: its experiment's path as the page names it, and its id.
 *
 *     snapshotPath('rides', run) === 'mlalm:rides/train.ipynb/01a1....locked.ipynb'
 */
export function snapshotPath(folder: string | null, run: Pick<IRun, 'id' | 'path'>): string {
  return `${DRIVE}:${PathExt.join(folder ?? '', run.path, run.id + ENDING)}`;
}

/** The run that a path of the drive names, and the notebook it is of; null for other paths. */
export function snapshotAt(path: string): { run: string; notebook: string } | null {
  const local = path.startsWith(`${DRIVE}:`) ? path.slice(DRIVE.length + 1) : null;
  if (local === null || !local.endsWith(ENDING)) {
    return null;
  }
  return { run: PathExt.basename(local).slice(0, -ENDING.length), notebook: PathExt.dirname(local) };
}

/** As much of a run's id as a person needs to tell it from others: its moment, to the millisecond. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
