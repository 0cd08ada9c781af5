import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';

import { IFault, IVerbs } from './generated/api';

const LOOK_MS = 700;

/** What the server refused, in its own words. */
export class MlalmError extends Error {
  constructor(readonly fault: IFault) {
    super([fault.what, fault.why, fault.fix].filter(Boolean).join(' '));
    this.name = 'MlalmError';
  }
}

/** Where the workspace lies, as the server sees it. */
export interface IPlace {
  workspace: string;
  folder: string | null;
}

/** Ask for a verb in a workspace and take its result; without one the server chooses. */
export async function requestAPI<T, V extends keyof IVerbs = keyof IVerbs>(
  verb: V,
  args: IVerbs[V],
  settings: ServerConnection.ISettings = ServerConnection.makeSettings(),
  workspace = ''
): Promise<T> {
  const init = { method: 'POST', body: JSON.stringify(args) };
  const body = await asked(settings, `api/${verb}`, { workspace }, init);
  return (body as { result: T }).result;
}

/** How far a long verb is. */
export interface IFar {
  text: string;
  done: number;
  total: number;
}

/** Ask for a verb that takes long, and tell how far it is until it answers. */
export async function requestLong<T, V extends keyof IVerbs = keyof IVerbs>(
  verb: V,
  args: IVerbs[V],
  told: (far: IFar) => void,
  settings: ServerConnection.ISettings = ServerConnection.makeSettings(),
  workspace = ''
): Promise<T> {
  const ticket = UUID.uuid4();
  let isUnderWay = true;
  const look = async () => {
    // how far it is only goes beside the verb itself, whose own words count
    const { progress } = (await asked(settings, 'progress', { ticket }, {})) as { progress: IFar | null };
    if (progress && isUnderWay) {
      told(progress);
    }
  };
  const looking = window.setInterval(() => void look().catch(() => undefined), LOOK_MS);
  try {
    const init = { method: 'POST', body: JSON.stringify(args) };
    const body = await asked(settings, `api/${verb}`, { workspace, ticket }, init);
    return (body as { result: T }).result;
  } finally {
    isUnderWay = false;
    window.clearInterval(looking);
  }
}

/** Ask where the workspace around a file is; without a file, the one around the folder that Jupyter serves. */
export async function requestPlace(
  near = '',
  settings: ServerConnection.ISettings = ServerConnection.makeSettings()
): Promise<IPlace> {
  return (await asked(settings, 'where', { near }, {})) as IPlace;
}

/** Ask to write a locked snapshot, for the sentence that refuses it: it always throws. */
export async function requestRefusal(
  path: string,
  settings: ServerConnection.ISettings = ServerConnection.makeSettings()
): Promise<never> {
  await asked(settings, `snapshots/${URLExt.encodeParts(path)}`, {}, { method: 'PUT', body: '{}' });
  throw new Error(`${path} is a snapshot, and was written.`);
}

async function asked(
  settings: ServerConnection.ISettings,
  address: string,
  query: Record<string, string>,
  init: RequestInit
): Promise<unknown> {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
  const url = URLExt.join(settings.baseUrl, 'mlalm', address) + URLExt.objectToQueryString(given);
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch {
    throw new MlalmError({
      code: 'Unreachable',
      what: 'The Jupyter server did not answer.',
      why: 'It may have stopped, or the network is down.',
      fix: 'Start it again, then press Refresh.'
    });
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) {
    return body;
  }
  throw new MlalmError(faultOf(body) ?? unknown(response));
}

function faultOf(body: unknown): IFault | null {
  const fault = (body as { error?: Partial<IFault> } | null)?.error;
  return fault?.what ? { code: fault.code ?? 'Error', what: fault.what, why: fault.why ?? '', fix: fault.fix ?? '' } : null;
}

function unknown(response: Response): IFault {
  return {
    code: `${response.status}`,
    what: `The Jupyter server answered ${response.status}.`,
    why: response.statusText,
    fix: response.status === 404 ? 'Check that the server extension of mlalm-jupyter is enabled.' : 'See its log.'
  };
}
