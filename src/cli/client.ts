import { messageOf } from '../model/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { CliFailure, EXIT, type ExitCode } from './exit-codes.ts';
import { truncate } from './render/text.ts';

/** The newest Block Storage version whose answers this client understands; sent with every request. */
export const MICROVERSION = 'volume 3.70';

const READ_TIMEOUT_MS = 30_000;
/** Longer than the API itself waits for another service. */
const CHANGE_TIMEOUT_MS = 120_000;
/** An API that never stops paging is broken. */
const MOST_PAGES = 10_000;

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Requests to one API. Every failure is a CliFailure. Answers are typed by the caller: the shapes are Block Storage v3's. */
export interface Client {
  /** The version document at `/v3/`. */
  versions<T>(): Promise<T>;
  /** One resource; `key` is its name in the answer. */
  get<T>(path: string, key: string): Promise<T>;
  /** A POST that answers with a resource, which has the name `key` in the request as in the answer. */
  create<T>(path: string, key: string, resource: object): Promise<T>;
  /** A POST whose answer does not matter. */
  post(path: string, body: object): Promise<void>;
  put(path: string, body: object): Promise<void>;
  delete(path: string, query?: Query): Promise<void>;
  /** All items of a list, page by page, `limit` of them at the most. `key` is the list's name in the answer. */
  list<T>(path: string, key: string, query?: Query, limit?: number): Promise<T[]>;
}

interface RequestDetails {
  readonly query?: Query | URLSearchParams | undefined;
  readonly body?: unknown;
  /** Instead of the endpoint's base address. */
  readonly base?: string;
}

/** A path with its values encoded: path`/volumes/${id}`. */
export function path(fixed: TemplateStringsArray, ...values: readonly string[]): string {
  return fixed.map((part, at) => (at === 0 ? part : encodeURIComponent(values[at - 1]!) + part)).join('');
}

/** Opens nothing: the first request does. `timeoutMs` overrides the limits of single requests. */
export function createClient(endpoint: Endpoint, timeoutMs?: number): Client {
  async function request<T>(method: string, path: string, details: RequestDetails = {}): Promise<T> {
    const { query, body, base = endpoint.baseUrl } = details;
    const url = `${base}${path}${queryString(query)}`;
    const limitMs = timeoutMs ?? (method === 'GET' ? READ_TIMEOUT_MS : CHANGE_TIMEOUT_MS);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          'openstack-api-version': MICROVERSION,
          'user-agent': 'ashlar',
          ...(endpoint.token === null ? {} : { 'x-auth-token': endpoint.token }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A redirect would carry the token to wherever it points.
        redirect: 'manual',
        signal: AbortSignal.timeout(limitMs),
      });
      text = await response.text();
    } catch (cause) {
      throw unreachable(endpoint, method, limitMs, cause);
    }
    if (!response.ok) throw refused(endpoint, response, text);
    return parseAnswer<T>(url, text);
  }

  async function item<T>(method: string, path: string, key: string, details?: RequestDetails): Promise<T> {
    const answer = await request<Record<string, T>>(method, path, details);
    const found = answer?.[key];
    if (found === undefined || found === null) throw foreign(`${endpoint.baseUrl}${path}`);
    return found;
  }

  async function list<T>(path: string, key: string, query: Query = {}, limit = Infinity): Promise<T[]> {
    const items: T[] = [];
    let next: Query | URLSearchParams | undefined = { ...query, ...(limit === Infinity ? {} : { limit }) };
    for (let pages = 1; next !== undefined && items.length < limit; pages++) {
      const answer: Record<string, unknown> | undefined = await request('GET', path, { query: next });
      const before = queryString(next);
      const page = answer?.[key];
      if (!Array.isArray(page)) throw foreign(`${endpoint.baseUrl}${path}`);
      for (const each of page) items.push(each as T);
      next = nextPage(answer ?? {});
      if (next !== undefined && (queryString(next) === before || pages >= MOST_PAGES)) {
        throw new CliFailure(EXIT.failed, `The list ${path} does not end: its next page is the page itself.`);
      }
    }
    return limit === Infinity ? items : items.slice(0, limit);
  }

  return {
    versions: () => request('GET', '/v3/', { base: endpoint.baseUrl.replace(/\/v3(\/.*)?$/, '') }),
    get: (path, key) => item('GET', path, key),
    create: (path, key, resource) => item('POST', path, key, { body: { [key]: resource } }),
    post: (path, body) => request('POST', path, { body }),
    put: (path, body) => request('PUT', path, { body }),
    delete: (path, query) => request('DELETE', path, { query }),
    list,
  };
}

/**
 * The query of the `next` link in `<list>_links` (`volumes_links`, but `volume_type_links`). Only its query: the link's address is what the API believes its own to be, which behind
 * a proxy may be another one, and the token must not follow it.
 */
function nextPage(answer: Readonly<Record<string, unknown>>): URLSearchParams | undefined {
  const links = Object.entries(answer).flatMap(([key, value]) =>
    key.endsWith('_links') && Array.isArray(value) ? (value as ({ rel?: unknown; href?: unknown } | null)[]) : [],
  );
  const next = links.find((link) => link?.rel === 'next');
  if (typeof next?.href !== 'string') return undefined;
  return URL.parse(next.href, 'http://api')?.searchParams;
}

function queryString(query: Query | URLSearchParams | undefined): string {
  if (query instanceof URLSearchParams) return query.size === 0 ? '' : `?${query}`;
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(key, String(value));
  return queryString(parameters);
}

function parseAnswer<T>(url: string, text: string): T {
  if (text === '') return undefined as T;
  try {
    const answer: unknown = JSON.parse(text);
    if (answer !== null && typeof answer === 'object') return answer as T;
  } catch (cause) {
    throw foreign(url, cause);
  }
  throw foreign(url);
}

function foreign(url: string, cause?: unknown): CliFailure {
  return new CliFailure(EXIT.unreachable, `What answers at ${url} is no Block Storage API. Check the endpoint.`, {
    cause,
  });
}

/** No answer at all: nobody listens, the name is unknown, or the time is up. */
function unreachable(endpoint: Endpoint, method: string, limitMs: number, cause: unknown): CliFailure {
  const { origin } = new URL(endpoint.baseUrl);
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    const rest =
      method === 'GET' ? 'Try again.' : 'The request may be carried out all the same: look before you repeat it.';
    const message = `${origin} gave no answer within ${limitMs / 1000} s. ${rest}`;
    return new CliFailure(EXIT.unreachable, message, { cause, transient: true });
  }
  const inner = cause instanceof Error ? (cause.cause ?? cause) : cause;
  const code = (inner as NodeJS.ErrnoException | undefined)?.code;
  const why = code === 'ECONNREFUSED' ? 'nobody listens there' : messageOf(inner) || String(code);
  return new CliFailure(
    EXIT.unreachable,
    `${origin} cannot be reached: ${why}. Is the node running? Start one with: npm start. ` +
      'Or name another API with --endpoint or ASHLAR_ENDPOINT.',
    { cause, transient: true },
  );
}

/** An answer that is a refusal, told in the API's own words. */
function refused(endpoint: Endpoint, response: Response, text: string): CliFailure {
  const { status } = response;
  const requestId = response.headers.get('x-openstack-request-id');
  const message = errorMessage(text) ?? `HTTP ${status}${text === '' ? '' : `: ${truncate(text.trim(), 200)}`}`;
  const told = status >= 500 && requestId !== null ? `${message} (${requestId})` : message;
  if (status === 401) {
    const given = endpoint.token === null ? 'No token was sent' : `The token from ${endpoint.tokenSource} was refused`;
    return new CliFailure(
      EXIT.unreachable,
      `${given}. Set ASHLAR_TOKEN, or name the node's state directory with --state-dir. The API says: ${message}`,
    );
  }
  return new CliFailure(exitCodeOf(status), told, { transient: status === 503 });
}

function exitCodeOf(status: number): ExitCode {
  if (status === 403 || status === 429 || status === 503) return EXIT.unreachable;
  if (status >= 300 && status < 400) return EXIT.unreachable;
  return status === 404 ? EXIT.notFound : EXIT.failed;
}

/** The message of `{"badRequest": {"code": 400, "message": "…"}}`; null for any other body. */
export function errorMessage(text: string): string | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  if (body === null || typeof body !== 'object') return null;
  for (const fault of [...Object.values(body), body]) {
    if (fault !== null && typeof fault === 'object' && 'message' in fault && typeof fault.message === 'string') {
      return fault.message;
    }
  }
  return null;
}
