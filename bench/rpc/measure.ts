/** One figure of one service: latencies one by one, or the rate with so many under way. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readCapturedMessages } from '../../test/support/cinder-fixtures.ts';
import type { Client } from './client.ts';

export interface Subject {
  readonly name: 'peer' | 'ours' | 'floor';
  /** `host@backend`. */
  readonly service: string;
  readonly pool: string;
  readonly typeId: string;
  /** Of the process that does the work. */
  readonly pid: number;
}

export interface Figure {
  /** Milliseconds; of a rate, the time that each was under way. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  /** The service's own, user and system, for each. */
  readonly cpuMs: number;
}

const captured = new Map(readCapturedMessages().map((message) => [`${message.topic}.${message.method}`, message]));
/** Clock ticks of /proc in a second, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** `create`s the volumes of the ids, or deletes them, `atOnce` under way at a time. */
export async function volumes(
  client: Client,
  subject: Subject,
  method: 'create_volume' | 'delete_volume',
  ids: readonly string[],
  atOnce: number,
): Promise<{ readonly figure: Figure; readonly done: readonly string[] }> {
  const after = method === 'create_volume' ? 'available' : 'deleted';
  if (method === 'delete_volume') {
    await client.sql.query("update volumes set status = 'deleting' where id = any($1)", [ids]);
  }
  const done: string[] = [];
  const figure = await measured(subject, ids, atOnce, async (id) => {
    const ended = client.becomes(id, after);
    client.cast(subject.service, method, argsOf(method, subject, id));
    await ended;
    done.push(id);
  });
  return { figure, done };
}

export async function capabilities(client: Client, subject: Subject, count: number, atOnce: number): Promise<Figure> {
  return await measured(subject, Array.from({ length: count }), atOnce, async () => {
    // As cinder-api asks.
    await client.call(subject.service, 'get_capabilities', { discover: false });
  });
}

/** Each of those under way asks for volumes of its own. */
export async function connections(
  client: Client,
  subject: Subject,
  ids: readonly string[],
  count: number,
  atOnce: number,
): Promise<Figure> {
  const items = Array.from({ length: count }, (_, index) => ids[index % ids.length]!);
  return await measured(subject, items, atOnce, async (id) => {
    await client.call(subject.service, 'initialize_connection', argsOf('initialize_connection', subject, id));
  });
}

/** Rows as cinder-api leaves them when its scheduler has placed them. */
export async function insertVolumes(client: Client, { pool, typeId }: Subject, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await client.sql.query(
    `insert into volumes (id, user_id, project_id, host, size, availability_zone, status, attach_status, display_name,
       volume_type_id, deleted, bootable, multiattach, use_quota, shared_targets, created_at, scheduled_at)
     select id, 'admin', $2, $3, 1, 'nova', 'creating', 'detached', 'bench',
       $4, false, false, false, true, true,
       now() at time zone 'utc', now() at time zone 'utc'
     from unnest($1::text[]) as id`,
    [ids, PROJECT, pool, typeId],
  );
  return ids;
}

/** Nothing more is begun after this: on a busy machine, fewer say it. */
const LIMIT_MS = 1500;
const PROJECT = '0123456789abcdef0123456789abcdef';

function argsOf(method: string, { pool, typeId }: Subject, id: string): Readonly<Record<string, unknown>> {
  const { args } = captured.get(`cinder-volume.${method}`)!;
  const object = args.volume as Record<string, Readonly<Record<'id' | 'host' | 'volume_type_id', string>>>;
  const { id: oldId, host, volume_type_id: oldType } = object['versioned_object.data']!;
  return JSON.parse(JSON.stringify(args).replaceAll(oldId, id).replaceAll(host, pool).replaceAll(oldType, typeId));
}

async function measured<T>(
  { pid }: Subject,
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<Figure> {
  const times: number[] = [];
  const cpuBefore = cpuSeconds(pid);
  const startedAtMs = performance.now();
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      if (performance.now() - startedAtMs > LIMIT_MS) return;
      const begunAtMs = performance.now();
      await work(item);
      times.push(performance.now() - begunAtMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - startedAtMs) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    medianMs: sorted[Math.floor(sorted.length / 2)]!,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)]!,
    perSecond: times.length / seconds,
    cpuMs: ((cpuSeconds(pid) - cpuBefore) * 1000) / times.length,
  };
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
