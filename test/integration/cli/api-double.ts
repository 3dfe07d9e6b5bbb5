import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request as it arrived. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The bytes as they are, in place of a JSON body. */
  readonly raw?: string;
  /** Closes the connection without an answer. */
  readonly hangUp?: true;
}

export type Handler = (request: Seen) => Answer | undefined;

/** A real HTTP server that plays the API: `handler` answers below /v3/<project>, and every request is kept. */
export interface ApiDouble extends AsyncDisposable {
  /** `http://127.0.0.1:port/v3`. */
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Method and path of every request that changes something. */
  changes(): string[];
}

export async function startApi(handler: Handler, port = 0): Promise<ApiDouble> {
  const seen: Seen[] = [];
  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    const url = new URL(message.url!, 'http://api');
    const sent = await text(message);
    const request = {
      method: message.method!,
      path: decodeURIComponent(url.pathname.replace(/^\/v3\/admin/, '')),
      query: Object.fromEntries(url.searchParams),
      headers: message.headers,
      body: sent === '' ? null : JSON.parse(sent),
    };
    seen.push(request);
    const { status, body, headers, raw, hangUp } = handler(request) ?? notFound(request.path);
    if (hangUp) return void message.socket.destroy();
    response.writeHead(status ?? 200, { 'content-type': 'application/json', ...headers });
    response.end(raw ?? (body === undefined ? '' : JSON.stringify(body)));
  };
  const server = createServer((message, response) => void answer(message, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`,
    seen,
    changes: () => seen.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function notFound(what: string): Answer {
  return fault(404, 'itemNotFound', `${what} could not be found.`);
}

export function fault(status: number, name: string, message: string): Answer {
  return { status, body: { [name]: { code: status, message } } };
}

export interface FakeVolume {
  id: string;
  name: string;
  status: string;
  size: number;
  metadata: Record<string, string>;
  [field: string]: unknown;
}

/** A uuid that ends in the number. */
export function id(number: number): string {
  return `7f6c2a52-1b5e-4a39-9c51-${String(number).padStart(12, '0')}`;
}

export function volume(number: number, fields: Partial<FakeVolume> = {}): FakeVolume {
  return {
    id: id(number),
    name: `volume-${number}`,
    status: 'available',
    size: number,
    volume_type: 'lvm',
    bootable: 'false',
    multiattach: false,
    availability_zone: 'nova',
    created_at: '2026-01-01T00:00:00.000000',
    metadata: {},
    attachments: [],
    links: [],
    ...fields,
  };
}

/**
 * Volumes as the API serves them, in pages of two. A volume in a status that ends in `ing` is settled by `settle` once it
 * has been read that way: the second look finds the work done.
 */
export function volumesHandler(volumes: FakeVolume[], settle: (volume: FakeVolume) => void): Handler {
  const working = new Set<string>();
  const look = (found: FakeVolume) => {
    if (working.has(found.id) && found.status.endsWith('ing')) settle(found);
    working.add(found.id);
    return found.status === 'deleted' ? notFound(`Volume ${found.id}`) : { body: { volume: found } };
  };
  return ({ method, path, query, body }) => {
    const [, collection, key, tail] = path.split('/');
    if (collection !== 'volumes') return undefined;
    if (method === 'GET' && key === 'detail') return { body: page(volumes, query) };
    if (method === 'POST' && key === undefined) {
      const made = volume(volumes.length + 1, { ...(body as { volume: FakeVolume }).volume, status: 'creating' });
      volumes.push(made);
      return { status: 202, body: { volume: made } };
    }
    const found = volumes.find((each) => each.id === key && each.status !== 'deleted');
    if (found === undefined) return notFound(`Volume ${key}`);
    if (method === 'GET') return look(found);
    if (method === 'DELETE' && tail === undefined) found.status = 'deleting';
    if (tail === 'action' && 'os-extend' in (body as object)) found.status = 'extending';
    return { status: 202 };
  };
}

function page(volumes: readonly FakeVolume[], query: Readonly<Record<string, string>>) {
  const { name, status, marker, limit = '2' } = query;
  const fitting = volumes.filter(
    (each) => (name === undefined || each.name === name) && (status === undefined || each.status === status),
  );
  const start = marker === undefined ? 0 : fitting.findIndex((each) => each.id === marker) + 1;
  const items = fitting.slice(start, start + Math.min(Number(limit), 2));
  const last = items.at(-1);
  const next = new URLSearchParams({ ...query, marker: last?.id ?? '' });
  // The address in the link is wrong on purpose, as behind a proxy: only its query may be used.
  const links = [{ rel: 'next', href: `http://203.0.113.1:1/v3/other/volumes/detail?${next}` }];
  return { volumes: items, ...(start + items.length < fitting.length ? { volumes_links: links } : {}) };
}
