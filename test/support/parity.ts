/** Asks two APIs the same and keeps how their answers differ. */
import { compareJson, type Difference, newCorrespondence } from './parity-compare.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; undefined where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read, not typed, in tests.
  readonly body: any;
}

export interface Pairing {
  readonly ours: Answer;
  readonly theirs: Answer;
}

export interface Found extends Difference {
  /** Such as `POST /volumes at 3.0 (size 0)`. */
  readonly asked: string;
}

export interface Asking {
  /** 3.70 unless said; null sends no version. */
  readonly version?: string | null;
  /** Said in a difference, beside method and path. */
  readonly note?: string;
  /** Sent instead of `body`, as it is. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks, and compares nothing. */
  readonly silent?: true;
  /** Begins at the server's root instead of the project's. */
  readonly absolute?: boolean;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';

export interface Parity {
  /** Paths and bodies may hold `{name}`, which stands for each side's own id of that name. */
  ask(method: Method, path: string, body?: unknown, asking?: Asking): Promise<Pairing>;
  /** Names what both answered; where one refused, its name stands for nothing that is there. */
  keep(name: string, pairing: Pairing, read: (body: Answer['body']) => string): void;
  /** Asks both until both are `done`, and compares nothing. */
  settle(path: string, done: (answer: Answer) => boolean): Promise<void>;
  /** What was found since this was last called. */
  taken(): readonly Found[];
  asked(): number;
}

interface Side {
  readonly root: string;
  readonly names: Map<string, string>;
}

const REQUEST_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 60_000;
/** An id that nothing has. */
export const UNKNOWN = '11111111-2222-3333-4444-555555555555';
/** A project id as both take it in a URL. */
export const PROJECT = '0123456789abcdef0123456789abcdef';
const comparedHeaders = [
  'openstack-api-version',
  'vary',
  'content-type',
  'x-openstack-request-id',
  'x-compute-request-id',
  'www-authenticate',
  'retry-after',
  'location',
  'etag',
];

/** Roots are `http://host:port`. */
export function startParity(roots: { readonly ours: string; readonly theirs: string }): Parity {
  const ours: Side = { root: roots.ours, names: new Map() };
  const theirs: Side = { root: roots.theirs, names: new Map() };
  const ids = newCorrespondence();
  let found: Found[] = [];
  let count = 0;

  const both = (method: Method, path: string, body: unknown, asking: Asking): Promise<[Answer, Answer]> =>
    Promise.all([send(ours, method, path, body, asking), send(theirs, method, path, body, asking)]);

  return {
    async ask(method, path, body, asking = {}) {
      const [mine, other] = await both(method, path, body, asking);
      if (asking.silent === true) return { ours: mine, theirs: other };
      count += 1;
      const note = asking.note === undefined ? '' : ` (${asking.note})`;
      const asked = `${method} ${path} at ${versionOf(asking) ?? 'no version'}${note}`;
      const differences = [
        ...(mine.status === other.status ? [] : [{ where: 'status', ours: mine.status, theirs: other.status }]),
        ...compareHeaders(mine, other),
        ...(mine.status === other.status || (mine.status >= 400 && other.status >= 400)
          ? compareJson(comparable(mine), comparable(other), 'body', ids)
          : [{ where: 'body', ours: brief(mine.body), theirs: brief(other.body) }]),
      ];
      found.push(...differences.map((difference) => ({ asked, ...difference })));
      return { ours: mine, theirs: other };
    },
    keep(name, pairing, read) {
      for (const [side, answer] of [
        [ours, pairing.ours],
        [theirs, pairing.theirs],
      ] as const) {
        side.names.set(name, answer.status < 300 ? read(answer.body) : UNKNOWN);
      }
    },
    async settle(path, done) {
      const until = Date.now() + SETTLE_TIMEOUT_MS;
      for (;;) {
        const answers = await both('GET', path, undefined, {});
        if (answers.every(done)) return;
        if (Date.now() > until) throw new Error(`waited in vain for ${path}: ${JSON.stringify(answers)}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    taken() {
      const taken = found;
      found = [];
      return taken;
    },
    asked: () => count,
  };
}

async function send(side: Side, method: Method, path: string, body: unknown, asking: Asking): Promise<Answer> {
  const version = versionOf(asking);
  const filled = (text: string) =>
    text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => side.names.get(name) ?? whole);
  const text = asking.text ?? (body === undefined ? undefined : filled(JSON.stringify(body)));
  const response = await fetch(side.root + (asking.absolute === true ? '' : `/v3/${PROJECT}`) + filled(path), {
    method,
    headers: {
      'x-auth-token': `admin:${PROJECT}`,
      ...(version === null ? {} : { 'openstack-api-version': `volume ${version}` }),
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...asking.headers,
    },
    ...(text === undefined ? {} : { body: text }),
    redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
}

function versionOf({ version }: Asking): string | null {
  return version === undefined ? '3.70' : version;
}

function compareHeaders(ours: Answer, theirs: Answer): Difference[] {
  return comparedHeaders.flatMap((name) => {
    // What an empty body would be, and an id that they leave out where we do not, say nothing.
    if (name === 'content-type' && (ours.body === undefined || theirs.body === undefined)) return [];
    if (name === 'x-compute-request-id' && !theirs.headers.has(name)) return [];
    const [mine, other] = [ours, theirs].map(({ headers }) => plain(headers.get(name)));
    return mine === other ? [] : [{ where: `header ${name}`, ours: mine, theirs: other }];
  });
}

/** Request ids as their form; a charset says nothing, since JSON is UTF-8. */
function plain(value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  return value.replace(/^req-[0-9a-f-]{36}$/, 'req-<uuid>').replace(/; ?charset=utf-8$/i, '');
}

/** Sentences of faults are our own; that there is one is not. Secrets, clocks and gauges are as each has them. */
function comparable({ status, body }: Answer): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if (status < 400) return withoutGauges(body);
  return Object.fromEntries(
    Object.entries(body as Record<string, unknown>).map(([key, fault]) =>
      typeof fault === 'object' && fault !== null && 'message' in fault
        ? [key, { ...fault, message: typeof fault.message }]
        : [key, fault],
    ),
  );
}

const gauges = new Set([
  'auth_username',
  'auth_password',
  'allocated_capacity_gb',
  'provisioned_capacity_gb',
  'total_volumes',
  'user_message',
]);
/** Lists that have no order. */
const unordered = new Set(['services', 'hosts']);

function withoutGauges(value: unknown, key = ''): unknown {
  if (gauges.has(key)) return typeof value;
  if (Array.isArray(value)) {
    const items = value.map((item) => withoutGauges(item));
    if (!unordered.has(key) && !items.every((item) => typeof item === 'string')) return items;
    return items.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutGauges(inner, name)]));
}

function orderOf(item: unknown): string {
  const { host_name, host } = item as Readonly<Record<string, unknown>>;
  return typeof item === 'string' ? item : String(host_name ?? host);
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function brief(body: unknown): string {
  return JSON.stringify(body ?? null).slice(0, 300);
}
