/** In the guest: what the load and the verification of a power cut share. The node's API, its exports, what was promised. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { iscsiUrl } from '../../src/cli/iscsi-url.ts';

const run = promisify(execFile);
export const STATE = '/var/lib/ashlar';
const CONNECTOR = { initiator: 'iqn.2004-10.com.example:one', host: 'one', ip: '127.0.0.1' };
const REQUEST_LIMIT_MS = 60_000;
const IO_LIMIT_MS = 60_000;
const BETWEEN_LOOKS_MS = 200;

/** What somebody who uses the node may count on; written down outside the VM before each step and after it. */
export interface KnownObject {
  /** Its name in the API, given to nothing else. */
  readonly name: string;
  readonly kind: 'volume' | 'snapshot';
  /** Null until the API has answered. */
  id: string | null;
  /** `maybe`: on its way in or out. */
  presence: 'sure' | 'maybe' | 'gone';
  /** GiB: more than one while an extension is on its way. */
  sizes: number[];
  /** The byte that stands at a MiB, 64 KiB of it; null: anything. What is not here is zeros. */
  bytes: Record<string, number | null>;
  /** Where it is exported, once that was answered; `unsure` while it comes or goes. */
  attachment: { id: string; url: string } | 'unsure' | null;
  /** Of a snapshot: the name of its volume. */
  of: string | null;
}

/** Places that are written and read, in MiB; the last two in a second GiB. */
export const SPOTS = [0, 1, 17, 500, 1023, 1024, 1500] as const;

export interface Api {
  // biome-ignore lint/suspicious/noExplicitAny: answers are read, not typed, in tests.
  send(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, any> }>;
}

export async function openApi(): Promise<Api> {
  const { url } = JSON.parse(await readFile(`${STATE}/endpoint.json`, 'utf8')) as { url: string };
  const token = (await readFile(`${STATE}/admin-token`, 'utf8')).trim();
  const headers = { 'x-auth-token': token, 'openstack-api-version': 'volume 3.70' };
  return {
    async send(method, path, body) {
      const response = await fetch(`${url}/admin${path}`, {
        method,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
    },
  };
}

/** A request that has to be taken. */
export async function must(api: Api, method: string, path: string, body?: unknown) {
  const answer = await api.send(method, path, body);
  if (![200, 202, 204].includes(answer.status)) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.body;
}

/** Attaches; the attachment's id and the URL under which its bytes are read. */
export async function attach(api: Api, id: string): Promise<{ id: string; url: string }> {
  const body = { attachment: { volume_uuid: id, connector: CONNECTOR } };
  const { attachment } = await must(api, 'POST', '/attachments', body);
  await must(api, 'POST', `/attachments/${attachment.id}/action`, { 'os-complete': {} });
  return { id: attachment.id, url: iscsiUrl(attachment.connection_info) };
}

/** The status where it has come to rest; null where the object is gone. */
export async function settled(
  api: Api,
  kind: 'volume' | 'snapshot',
  id: string,
  limitMs: number,
): Promise<string | null> {
  const deadline = performance.now() + limitMs;
  while (true) {
    const { status, body } = await api.send('GET', `/${kind}s/${id}`);
    if (status === 404) return null;
    const now = String(body[kind]?.status);
    if (!/ing$/.test(now)) return now;
    if (performance.now() > deadline) throw new Error(`${kind} ${id} is still ${now}`);
    await sleep(BETWEEN_LOOKS_MS);
  }
}

/** Commands of qemu-io in one session; its words where something is wrong. */
export async function io(url: string, ...commands: readonly string[]): Promise<string | null> {
  const argv = ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), url];
  try {
    const { stdout, stderr } = await run('qemu-io', argv, { timeout: IO_LIMIT_MS });
    return /verification failed|error/i.test(stdout + stderr) ? `${stdout}${stderr}`.slice(0, 500) : null;
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? '').slice(0, 300) + String(error).slice(0, 300);
  }
}

/** The reads that hold an object's bytes to what is known of them; `sizeGb` where the export ends. */
export function readsOf({ bytes }: KnownObject, sizeGb: number): string[] {
  const spots = SPOTS.filter((spot) => spot < sizeGb * 1024 && bytes[spot] !== null);
  return spots.map((spot) => `read -P ${bytes[spot] ?? 0} ${spot}M 64k`);
}

export async function readInput<T>(): Promise<T> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return JSON.parse(text) as T;
}
