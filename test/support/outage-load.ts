/** Creates under an outage, and what must be true of them afterwards. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Store } from '../../src/db/store.ts';
import { forEachBounded } from '../../src/lib/bounded.ts';
import { sleep } from '../../src/lib/timers.ts';
import type { Volume } from '../../src/model/volume.ts';
import { volumeTarget } from '../../src/rpc/addresses.ts';
import type { Transport } from '../../src/rpc/transport.ts';
import { readCapturedMessages } from './cinder-fixtures.ts';
import { filesIn } from './node-audit.ts';
import { eventually } from './node-process.ts';
import { type OutageBed, POOL, SERVICE_HOST } from './outage-bed.ts';

export const PROJECT = '0123456789abcdef0123456789abcdef';
const WIDTH = 8;

/** Asks the API for so many volumes; a request that is refused with a 5xx or never answered is made anew. */
export async function createByApi(bed: OutageBed, count: number, onAccepted: (accepted: number) => void) {
  let accepted = 0;
  await forEachBounded(Array.from({ length: count }).keys(), WIDTH, async (index) => {
    for (;;) {
      const body = { volume: { size: 1, name: `load ${index}` } };
      const answer = await bed.request('POST', '/volumes', body).catch((error: Error) => error);
      if (!(answer instanceof Error) && answer.status === 202) break;
      if (!(answer instanceof Error)) assert.ok(answer.status >= 500, JSON.stringify(answer));
      await sleep(200);
    }
    accepted += 1;
    onAccepted(accepted);
  });
}

/** Inserts rows and sends casts as a Cinder's scheduler does, without a record. */
export async function createByCast(
  bed: OutageBed,
  peer: Transport,
  count: number,
  onSent: (sent: number) => void,
): Promise<void> {
  let sent = 0;
  const type = await bed.store.types.getByName('__DEFAULT__');
  await forEachBounded(Array.from({ length: count }).keys(), WIDTH, async () => {
    const id = randomUUID();
    await untilDone(() => insertCreating(bed.store, id, type!.id));
    await untilDone(() => peer.cast(volumeTarget(SERVICE_HOST), createMessage(id)));
    sent += 1;
    onSent(sent);
  });
}

export async function insertCreating(store: Store, id: string, volumeTypeId: string): Promise<void> {
  if ((await store.volumes.get(id)) !== null) return;
  const row = { id, sizeGb: 1, volumeTypeId, status: 'creating', projectId: PROJECT, host: POOL } as const;
  await store.volumes.insert(row);
}

const captured = readCapturedMessages().find(({ file }) => file === 'rpc.cinder-volume.create_volume.json')!;

/** create_volume of a row as Cinder's scheduler sends it. */
export function createMessage(id: string) {
  const object = captured.args.volume as Record<string, { id: string }>;
  const text = JSON.stringify(captured.args).replaceAll('node@lvm#pool0', POOL);
  const args = JSON.parse(text.replaceAll(object['versioned_object.data']!.id, id)) as Record<string, unknown>;
  const context = { requestId: `req-${id}`, userId: 'admin', projectId: PROJECT, isAdmin: true, roles: [] };
  return { method: captured.method, version: captured.version, args, context };
}

async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch {
      // A copy does nothing twice.
      await sleep(200);
    }
  }
}

/**
 * Every volume ends available or in error, an error with a message; one file for each that is available and none besides;
 * no operation is open, none was done twice, and the usage is what the rows say.
 */
export async function assertAllEnded(bed: OutageBed, atLeast: number, limitMs: number): Promise<readonly Volume[]> {
  const { store } = bed;
  const all = () => store.volumes.list({ projectId: null });
  const ended = await eventually(
    'every volume to end',
    async () => {
      const volumes = await all().catch(() => []);
      const isOver = volumes.length >= atLeast && volumes.every(({ status }) => /^(available|error)$/.test(status));
      return isOver ? volumes : undefined;
    },
    limitMs,
  ).catch(async (error: unknown) => {
    const stuck = (await all()).filter(({ status }) => !/^(available|error)$/.test(status));
    const records = await Promise.all(stuck.slice(0, 5).map(({ id }) => store.operations.history(id, 5)));
    throw new Error(`${String(error)}; ${stuck.length} of ${(await all()).length}: ${JSON.stringify(records)}`);
  });
  const available = ended.filter(({ status }) => status === 'available').map(({ id }) => id);
  const files = (await filesIn(bed.filesDir)).map((name) => basename(name).replace(/^volume-/, ''));
  assert.deepEqual(files, available.toSorted());
  const done = (await bed.logLines()).filter(
    ({ msg, method }) => msg === 'operation done' && method === 'create_volume',
  );
  assert.equal(new Set(done.map(({ resource }) => resource)).size, done.length, 'one was done twice');
  for (const { id, status } of ended) {
    const records = await store.operations.history(id, 10);
    assert.equal(records.length, 1, JSON.stringify(records));
    assert.equal(records[0]!.state, status === 'available' ? 'done' : 'failed');
    if (status === 'error') assert.ok((records[0]!.error ?? '').length > 0);
  }
  return ended;
}

export interface Outage {
  readonly creates: number;
  readonly outageMs: number;
}

/** The part is stopped when an eighth of the load is accepted, and started again after its time; then all must end. */
export async function underOutage(
  bed: OutageBed,
  part: { stop(): Promise<void>; start(): Promise<void> },
  { creates, outageMs }: Outage,
  load: (count: number, onAccepted: (accepted: number) => void) => Promise<void>,
): Promise<readonly Volume[]> {
  const before = (await bed.store.volumes.list({ projectId: null })).length;
  const reached = Promise.withResolvers<void>();
  const loading = load(creates, (accepted) => {
    if (accepted >= creates / 8) reached.resolve();
  });
  loading.catch(reached.reject);
  await reached.promise;
  await part.stop();
  await sleep(outageMs);
  await part.start();
  await loading;
  return await assertAllEnded(bed, before + creates, ALL_ENDED_MS);
}

/** Far more than it needs: the pauses between attempts to come back are seconds. */
const ALL_ENDED_MS = 120_000;

/** The service answers still: one more is made. */
export async function assertServes(bed: OutageBed): Promise<void> {
  const before = await bed.store.volumes.list({ projectId: null });
  await createByApi(bed, 1, () => {});
  await assertAllEnded(bed, before.length + 1, ALL_ENDED_MS);
}
