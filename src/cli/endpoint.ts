import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliFailure, EXIT } from './exit-codes.ts';
import type { CliIo } from './io.ts';

/** Where the API is and what lets us in. `token` is a secret: never printed. */
export interface Endpoint {
  /** `http://127.0.0.1:8776/v3[/<project>]`, without a slash at its end. */
  readonly baseUrl: string;
  readonly token: string | null;
  /** Where the token came from, for the sentence that says it was refused. */
  readonly tokenSource: string;
}

export interface EndpointOptions {
  readonly endpoint?: string;
  readonly token?: string;
  readonly project?: string;
  readonly stateDir?: string;
}

/** What a node writes when its API listens: `<state>/endpoint.json`. */
interface EndpointFile {
  readonly url: string;
  readonly project?: string;
}

/**
 * Finds the API: the options, then ASHLAR_ENDPOINT, ASHLAR_TOKEN, ASHLAR_PROJECT, then what a node left in its state
 * directory. The token of a state directory goes only to the endpoint of the same directory, unless that directory was
 * named: it must not reach a foreign server by accident.
 */
export async function findEndpoint(io: CliIo, options: EndpointOptions): Promise<Endpoint> {
  const url = options.endpoint ?? set(io.env.ASHLAR_ENDPOINT);
  const project = options.project ?? set(io.env.ASHLAR_PROJECT);
  const token = options.token ?? set(io.env.ASHLAR_TOKEN);
  const tokenSource = options.token === undefined ? 'ASHLAR_TOKEN' : '--token';
  const named = options.stateDir ?? set(io.env.ASHLAR_STATE_DIR);

  if (url !== undefined) {
    const baseUrl = toBaseUrl(url, project);
    if (token !== undefined) return { baseUrl, token: checkToken(token, tokenSource), tokenSource };
    if (named === undefined) return { baseUrl, token: null, tokenSource: 'nowhere' };
    return { baseUrl, ...(await readToken(named)) };
  }
  const stateDirs = named === undefined ? io.stateDirs : [named];
  for (const stateDir of stateDirs) {
    const file = await readEndpointFile(join(stateDir, 'endpoint.json'));
    if (file === null) continue;
    const baseUrl = toBaseUrl(file.url, project ?? file.project);
    if (token !== undefined) return { baseUrl, token: checkToken(token, tokenSource), tokenSource };
    return { baseUrl, ...(await readToken(stateDir)) };
  }
  throw new CliFailure(
    EXIT.unreachable,
    `No node runs here: no endpoint.json in ${stateDirs.join(' or ')}. ` +
      'Start one with: npm start. Or name an API with --endpoint URL or ASHLAR_ENDPOINT, or a state directory with --state-dir.',
  );
}

/**
 * The address below which the resources are: `/v3` where the address lacks it, then the project where one is named. An
 * address that goes on after `/v3` is taken as it is, unless a project is named too. Since 3.67 no project is needed.
 */
export function toBaseUrl(text: string, project: string | undefined): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CliFailure(EXIT.usage, `'${text}' is no address of an API. Give it as http://HOST:PORT/v3.`);
  }
  const path = url.pathname.replace(/\/+$/, '');
  const [, prefix, version, rest] = /^(.*?)(\/v3)(\/.+)?$/.exec(path) ?? [undefined, path, '/v3', undefined];
  const tail = project === undefined ? (rest ?? '') : `/${encodeURIComponent(project)}`;
  return `${url.origin}${prefix}${version}${tail}`;
}

async function readEndpointFile(path: string): Promise<EndpointFile | null> {
  const text = await readState(path);
  if (text === null) return null;
  try {
    const file: unknown = JSON.parse(text);
    if (file !== null && typeof file === 'object' && 'url' in file && typeof file.url === 'string') {
      const project = 'project' in file && typeof file.project === 'string' ? { project: file.project } : {};
      return { url: file.url, ...project };
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new CliFailure(EXIT.unreachable, `${path} is damaged. Start the node again: it writes the file anew.`);
}

async function readToken(stateDir: string): Promise<Pick<Endpoint, 'token' | 'tokenSource'>> {
  const tokenSource = join(stateDir, 'admin-token');
  const text = await readState(tokenSource);
  return { token: text === null ? null : checkToken(text.trim(), tokenSource), tokenSource };
}

/** The file's text, null where there is none. */
async function readState(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new CliFailure(
      EXIT.unreachable,
      `${path} cannot be read (${code}). It is private to the user that started the node: run ashlar as that user, ` +
        'or set ASHLAR_ENDPOINT and ASHLAR_TOKEN.',
      { cause },
    );
  }
}

function checkToken(token: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliFailure(EXIT.unreachable, `The token from ${source} is empty or holds characters that no token has.`);
}

/** An empty variable counts as not set. */
function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
