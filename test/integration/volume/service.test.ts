/** The volume service as it runs: a backend that does not start, a database that goes away, a stop under load. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/cmd/local/postgres.ts';
import { openDatabase } from '../../../src/db/connection.ts';
import { dbSync } from '../../../src/db/migrate.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import type { Store } from '../../../src/db/store.ts';
import { failure, isFailure } from '../../../src/model/errors.ts';
import { createMemoryTransport } from '../../../src/rpc/memory.ts';
import type { Transport } from '../../../src/rpc/transport.ts';
import { SCHEDULER_TOPIC } from '../../../src/rpcapi/requests.ts';
import { createOperationRpc } from '../../../src/service/peers/operation-rpc.ts';
import { startVolumeService, type VolumeService } from '../../../src/volume/service.ts';
import { eventually } from '../../support/node-process.ts';
import { silentLog } from '../../support/postgres.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { blankCreate, CONNECTOR, openVolumeBed, SERVICE_HOST, type VolumeBed } from '../../support/volume-bed.ts';

const CONTEXT = { requestId: 'req-1', userId: 'u', projectId: 'p', isAdmin: true, roles: [] };
let stateDir: string;
let server: EmbeddedPostgres;
let store: Store;
before(async () => {
  stateDir = await mkdtemp('/dev/shm/ashlar-pg-').catch(() => mkdtemp(join(tmpdir(), 'ashlar-pg-')));
  server = await startEmbeddedPostgres({ stateDir, log: silentLog });
  const database = openDatabase({ connection: server.connection });
  await dbSync(database);
  store = createStore(database);
});
const services: VolumeService[] = [];
// A test that failed leaves its service running, and that would keep this process.
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop({ timeoutMs: 1000 })));
});
after(async () => {
  await store.close();
  await server.stop();
  await rm(stateDir, { recursive: true, force: true });
});

interface Running {
  readonly bed: VolumeBed;
  readonly transport: Transport;
  readonly log: ReturnType<typeof recorderLog>;
  readonly rpc: ReturnType<typeof createOperationRpc>;
  /** What the schedulers were told, newest last. */
  readonly reports: Readonly<Record<string, unknown>>[];
  start(): Promise<VolumeService>;
}

async function openRunning(): Promise<Running> {
  const bed = await openVolumeBed(store);
  const transport = createMemoryTransport();
  const log = recorderLog();
  const reports: Readonly<Record<string, unknown>>[] = [];
  await transport.listen({ topic: SCHEDULER_TOPIC, server: 'here' }, async ({ args }) => {
    reports.push(args.capabilities as Record<string, unknown>);
  });
  const start = async () => {
    const service = await startVolumeService({
      store,
      transport,
      driver: bed.driver,
      target: bed.target,
      serviceHost: SERVICE_HOST,
      backendName: 'fake',
      volumeBackendName: 'fake',
      availabilityZone: 'nova',
      reservedPercentage: 0,
      maxOverSubscriptionRatio: 1,
      volumeNameTemplate: 'volume-%s',
      snapshotNameTemplate: 'snapshot-%s',
      reportIntervalMs: 1000,
      statsIntervalMs: 60_000,
      enableNewServices: true,
      concurrency: 4,
      maxAttempts: 3,
      maxRetryPauseMs: 10,
      serviceDownTimeMs: 2000,
      log,
    });
    services.push(service);
    return service;
  };
  return { bed, transport, log, reports, start, rpc: createOperationRpc({ transport, store, log }) };
}

const ended = (ids: readonly string[]) =>
  eventually('every operation to end', async () => {
    const left = await store.operations.listUnfinished(SERVICE_HOST, 1000).catch(() => null);
    return left?.some(({ id }) => ids.includes(id)) === false ? true : undefined;
  });

async function call({ rpc }: Running, operationId: string): Promise<unknown> {
  return rpc.perform((await store.operations.get(operationId))!, CONTEXT, { timeoutMs: 20_000 });
}

test('a backend that does not start is reported down, fails who waits, keeps the record, and comes up by itself', async () => {
  const running = await openRunning();
  const { bed, reports } = running;
  const { id } = await bed.insertVolume();
  const recorded = await bed.record('create_volume', id, blankCreate);
  bed.faults.fail('driver.setUp', 'before', Number.POSITIVE_INFINITY, new Error('no such device'));
  const service = await running.start();
  assert.deepEqual(await service.firstState, { kind: 'down', reason: 'no such device' });
  await assert.rejects(call(running, recorded), (error) => isFailure(error, 'DriverNotInitialized'));
  assert.equal((await store.operations.get(recorded))?.state, 'queued');
  await eventually('the report', async () => reports.find(({ backend_state }) => backend_state === 'down'));
  assert.equal(reports.at(-1)?.down_reason, 'no such device');
  bed.faults.clear();
  await ended([recorded]);
  assert.equal((await store.volumes.get(id))?.status, 'available');
  await eventually('the report', async () => reports.find(({ backend_state }) => backend_state === 'up'));
  await service.stop({ timeoutMs: 5000 });
  await bed.clear();
});

test('a database that goes away during operations and comes back: each ends once, done', async () => {
  const running = await openRunning();
  const { bed, rpc } = running;
  const service = await running.start();
  assert.equal((await service.firstState).kind, 'up');
  const volumes = await Promise.all(Array.from({ length: 24 }, () => bed.insertVolume()));
  const ids: string[] = [];
  for (const { id } of volumes) ids.push(await bed.record('create_volume', id, blankCreate));
  const held = bed.faults.hold('driver.createVolume');
  for (const id of ids) await rpc.wake((await store.operations.get(id))!, CONTEXT);
  await held.reached;
  await server.stop();
  held.release();
  await new Promise((resolve) => setTimeout(resolve, 300));
  server = await startEmbeddedPostgres({ stateDir, log: silentLog });
  await ended(ids);
  const states = await Promise.all(ids.map(async (id) => (await store.operations.get(id))?.state));
  assert.deepEqual([...new Set(states)], ['done']);
  assert.deepEqual(await bed.leftovers(), volumes.map(({ id }) => `volume-${id}`).sort());
  await service.stop({ timeoutMs: 5000 });
  await bed.clear();
});

test('a stop under load ends what works and leaves the rest in the record; the next start does it', async () => {
  const running = await openRunning();
  const { bed, rpc } = running;
  const service = await running.start();
  await service.firstState;
  const volumes = await Promise.all(Array.from({ length: 20 }, () => bed.insertVolume()));
  const ids: string[] = [];
  for (const { id } of volumes) ids.push(await bed.record('create_volume', id, blankCreate));
  const held = bed.faults.hold('driver.createVolume');
  for (const id of ids) await rpc.wake((await store.operations.get(id))!, CONTEXT);
  await held.reached;
  const stopping = service.stop({ timeoutMs: 10_000 });
  held.release();
  await stopping;
  const states = await Promise.all(ids.map(async (id) => (await store.operations.get(id))!.state));
  assert.ok(states.includes('done') && states.includes('queued'), states.join(' '));
  assert.ok(!states.includes('running') && !states.includes('failed'), states.join(' '));

  const next = await running.start();
  await ended(ids);
  for (const id of ids) {
    const { state, attempt } = (await store.operations.get(id))!;
    assert.deepEqual({ state, attempt }, { state: 'done', attempt: 1 });
  }
  await next.stop({ timeoutMs: 5000 });
  await bed.clear();
});

test('a stop does not wait for ever: what hangs is left in the record, and what it did in the end does not win', async () => {
  const running = await openRunning();
  const { bed, rpc, log } = running;
  const service = await running.start();
  await service.firstState;
  const { id } = await bed.insertVolume();
  const operationId = await bed.record('create_volume', id, blankCreate);
  const held = bed.faults.hold('driver.createVolume');
  await rpc.wake((await store.operations.get(operationId))!, CONTEXT);
  await held.reached;
  await service.stop({ timeoutMs: 50 });
  assert.match(log.text(), /stopped with operations under way/);
  const next = await running.start();
  await ended([operationId]);
  held.release();
  await eventually('the stale one to stand aside', async () => /taken over by another/.exec(log.text()) ?? undefined);
  assert.equal((await store.volumes.get(id))?.status, 'available');
  assert.deepEqual(await bed.leftovers(), [`volume-${id}`]);
  await next.stop({ timeoutMs: 5000 });
  await bed.clear();
});

test('of two services under one name one works; the other says who has it, and goes on where that one stops', async () => {
  const running = await openRunning();
  const { bed, rpc } = running;
  const both = await Promise.all([running.start(), running.start()]);
  const states = await Promise.all(both.map((service) => service.firstState));
  const [first, second] = states[0]!.kind === 'up' ? both : [both[1], both[0]];
  const down = states.find(({ kind }) => kind === 'down');
  assert.match(down?.kind === 'down' ? down.reason : '', /another process has its name: pid \d+ on this machine/);
  const volumes = await Promise.all(Array.from({ length: 12 }, () => bed.insertVolume()));
  bed.faults.calls.length = 0;
  const ids: string[] = [];
  for (const { id } of volumes) ids.push(await bed.record('create_volume', id, blankCreate));
  for (const id of [...ids, ...ids]) await rpc.wake((await store.operations.get(id))!, CONTEXT);
  await ended(ids);
  const creates = bed.faults.calls.filter((name) => name === 'driver.createVolume');
  assert.equal(creates.length, ids.length);
  for (const id of ids) assert.equal((await store.operations.get(id))?.attempt, 1);
  await first!.stop({ timeoutMs: 5000 });

  const { id } = await bed.insertVolume();
  const later = await bed.record('create_volume', id, blankCreate);
  await eventually('the second to work', async () => {
    return await call(running, later).then(
      () => true,
      () => undefined,
    );
  });
  assert.equal((await store.volumes.get(id))?.status, 'available');
  await second!.stop({ timeoutMs: 5000 });
  await bed.clear();
});

describe('exports', () => {
  test('come back with a start and with the target daemon, the others despite one that cannot', async () => {
    const running = await openRunning();
    const { bed, log } = running;
    const service = await running.start();
    await service.firstState;
    const [good, bad] = [await bed.volume(), await bed.volume()];
    await bed.connect(good);
    await bed.connect(bad);
    const forget = async () => {
      for (const name of [good, bad]) await bed.target.removeExport({ id: name, name: `volume-${name}` });
    };
    await forget();
    await bed.driver.deleteVolume(await bed.backend.toDriverVolume((await store.volumes.get(bad))!));
    await service.restoreExports();
    assert.deepEqual(await bed.leftovers(), [`export of volume-${good}`, `volume-${good}`]);
    assert.ok(log.records.some(({ level, fields }) => level === 'error' && fields.volume === bad));
    await service.stop({ timeoutMs: 5000 });

    await forget();
    const next = await running.start();
    assert.equal((await next.firstState).kind, 'up', 'one lost device does not keep the backend down');
    assert.deepEqual(await bed.leftovers(), [`export of volume-${good}`, `volume-${good}`]);
    await next.stop({ timeoutMs: 5000 });
    await bed.clear();
  });

  test('that cannot be asked for leave the backend down until they can', async () => {
    const running = await openRunning();
    const { bed } = running;
    await bed.connect(await bed.volume());
    const gone = failure('ConnectionFailed', { what: 'tgtd', reason: 'no socket.' });
    bed.faults.fail('target.ensureExports', 'before', 3, gone);
    const service = await running.start();
    assert.deepEqual(await service.firstState, { kind: 'down', reason: gone.message });
    const volumeId = await eventually('the backend to come up', async () => {
      const { id } = await bed.insertVolume();
      const operationId = await bed.record('create_volume', id, blankCreate);
      return await call(running, operationId).then(
        () => id,
        () => undefined,
      );
    });
    const attachmentId = await bed.reserve(volumeId);
    const args = { volumeId, connector: CONNECTOR };
    const answer = await call(running, await bed.record('attachment_update', attachmentId, args));
    assert.equal((answer as { driver_volume_type: string }).driver_volume_type, 'iscsi');
    await service.stop({ timeoutMs: 5000 });
    await bed.clear();
  });
});
