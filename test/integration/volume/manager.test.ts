/** What can go wrong around operations: other workers, crashes, full records, rows that others left, lost exports. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Store } from '../../../src/db/store.ts';
import { failure, isFailure } from '../../../src/model/errors.ts';
import { SCHEDULER_TOPIC } from '../../../src/rpcapi/requests.ts';
import { recover, recoverOperations, restoreExports, sweepOperations } from '../../../src/volume/recovery.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { blankCreate, CONNECTOR, openVolumeBed, POOL, SERVICE_HOST, type VolumeBed } from '../../support/volume-bed.ts';

let postgres: TestPostgres;
let store: Store;
let bed: VolumeBed;
before(async () => {
  postgres = await startTestPostgres();
  store = await postgres.freshStore();
});
after(async () => {
  await store.close();
  await postgres.stop();
});
beforeEach(async () => {
  bed = await openVolumeBed(store);
});

const recovery = () => ({ ...bed, backendName: 'fake' });
const anywhere = { ...blankCreate, pinnedHost: null };
const statusOf = async (id: string) => (await store.volumes.get(id, { deleted: true }))?.status;
const record = async (id: string) => (await store.operations.get(id))!;
const isOvertaken = (error: unknown) => isFailure(error, 'Overtaken');

describe('a worker whose claim was taken over', () => {
  test('does not end the record, and takes nothing back that is the other one’s by now', async () => {
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, blankCreate);
    const held = bed.faults.hold('driver.createVolume');
    const stale = bed.manager.perform(operationId);
    await held.reached;
    await bed.newManager().perform(operationId, { recovering: true });
    assert.equal(await statusOf(id), 'available');
    held.release();
    await assert.rejects(stale, isOvertaken);
    assert.equal(await statusOf(id), 'available');
    assert.deepEqual(await bed.leftovers(), [`volume-${id}`]);
    assert.ok(!bed.faults.calls.includes('driver.deleteVolume'));
    await bed.clear();
  });

  test('that fails leaves the other one’s work alone too', async () => {
    const volumeId = await bed.volume();
    const attachmentId = await bed.reserve(volumeId);
    const operationId = await bed.record('attachment_update', attachmentId, { volumeId, connector: CONNECTOR });
    const held = bed.faults.hold('target.initializeConnection');
    const stale = bed.manager.perform(operationId);
    await held.reached;
    await bed.newManager().perform(operationId, { recovering: true });
    bed.faults.fail('target.initializeConnection', 'after', 1);
    held.release();
    await assert.rejects(stale, isOvertaken);
    assert.equal((await record(operationId)).state, 'done');
    assert.equal((await store.attachments.get(attachmentId))?.attachStatus, 'attaching');
    assert.deepEqual(await bed.leftovers(), [`export of volume-${volumeId}`, `volume-${volumeId}`]);
    await bed.clear();
  });

  test('is the same process that lost its database: the second go wins', async () => {
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, blankCreate);
    const away = failure('ConnectionFailed', { what: 'Database test', reason: 'away.' });
    bed.faults.fail('driver.createVolume', 'after', 1, away);
    await assert.rejects(bed.manager.perform(operationId), /cannot be reached/);
    assert.ok(bed.manager.wasCutOff(operationId));
    assert.deepEqual(await bed.leftovers(), [`volume-${id}`], 'nothing is taken back: it will be done again');
    assert.equal(await sweepOperations(recovery(), 3_600_000), 1, 'found at once, however young');
    assert.equal(await statusOf(id), 'available');
    assert.ok(!bed.manager.wasCutOff(operationId));
    await bed.clear();
  });
});

describe('attempts', () => {
  async function crash(operationId: string, times: number): Promise<void> {
    for (let i = 0; i < times; i += 1) {
      assert.ok(await store.operations.claim(operationId, SERVICE_HOST, randomUUID(), { steal: true }));
    }
  }

  test('that crash are bounded; what they left is found by a delete', async () => {
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, anywhere);
    await bed.driver.createVolume(await bed.backend.toDriverVolume((await store.volumes.get(id))!));
    await crash(operationId, 3);
    await assert.rejects(bed.manager.perform(operationId, { recovering: true }), /started 3 times/);
    const { state, owner, attempt } = await record(operationId);
    assert.deepEqual({ state, owner, attempt }, { state: 'failed', owner: SERVICE_HOST, attempt: 4 });
    assert.deepEqual(bed.rescheduled, [], 'what is left here could not be deleted from elsewhere');
    const volume = await store.volumes.get(id);
    assert.deepEqual([volume?.status, volume?.host], ['error', POOL]);
    await bed.clear();
  });

  test('at other backends do not count here', async () => {
    const manager = bed.newManager({ maxAttempts: 1 });
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, { ...anywhere, excludedHosts: ['other@one#p'] });
    await crash(operationId, 1);
    await store.operations.handOver(
      operationId,
      { owner: SERVICE_HOST, worker: (await record(operationId)).worker! },
      SERVICE_HOST,
    );
    await manager.perform(operationId);
    assert.equal(await statusOf(id), 'available');
    await bed.clear();
  });

  test('of the database’s own faults are made again, and end at last', async () => {
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, blankCreate);
    const away = failure('ConnectionFailed', { what: 'Database test', reason: 'away.' });
    bed.faults.fail('driver.createVolume', 'before', Number.POSITIVE_INFINITY, away);
    let sweeps = 0;
    await bed.manager.perform(operationId).catch(() => undefined);
    while ((await record(operationId)).finishedAt === null && sweeps < 20) {
      await sweepOperations(recovery(), 3_600_000);
      sweeps += 1;
    }
    assert.deepEqual([(await record(operationId)).state, await statusOf(id), sweeps], ['failed', 'error', 3]);
    await bed.clear();
  });
});

describe('going back to the scheduler', () => {
  test('names the place and what it said', async () => {
    const { id } = await bed.insertVolume();
    const args = { ...anywhere, excludedHosts: ['other@one#p'], failures: { 'other@one#p': 'was full' } };
    const operationId = await bed.record('create_volume', id, args);
    // What a command says may hold what no database takes.
    bed.faults.fail('driver.createVolume', 'after', 1, new Error('no room\0 left'));
    await assert.rejects(bed.manager.perform(operationId), /no room/);
    const { owner, state, arguments: next } = await record(operationId);
    assert.deepEqual([owner, state], [SCHEDULER_TOPIC, 'queued']);
    assert.deepEqual(next.excludedHosts, ['other@one#p', POOL]);
    assert.deepEqual(next.failures, { 'other@one#p': 'was full', [POOL]: 'no room left' });
    assert.equal((await store.volumes.get(id))?.host, null);
    assert.deepEqual(
      bed.rescheduled.map((operation) => operation.id),
      [operationId],
    );
    await bed.clear();
  });

  test('is not for what could not be taken back: it stays in error, where a delete finds it', async () => {
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, anywhere);
    bed.faults.fail('driver.createVolume', 'after');
    bed.faults.fail('driver.deleteVolume', 'before');
    await assert.rejects(bed.manager.perform(operationId), /broken on purpose/);
    assert.deepEqual(await bed.leftovers(), [`volume-${id}`]);
    const volume = await store.volumes.get(id);
    assert.deepEqual([volume?.status, volume?.host, bed.rescheduled.length], ['error', POOL, 0]);
    await bed.clear();
  });

  test('is not for a volume that was deleted by force meanwhile', async () => {
    const { id } = await bed.insertVolume();
    const operationId = await bed.record('create_volume', id, anywhere);
    const held = bed.faults.hold('driver.createVolume');
    const creating = bed.manager.perform(operationId);
    await held.reached;
    await store.volumes.updateIf(id, {}, { status: 'deleting' });
    const deleting = bed.ask('delete_volume', id, { force: true, cascade: false });
    held.release();
    await assert.rejects(creating, isOvertaken);
    await deleting;
    assert.deepEqual([await statusOf(id), (await record(operationId)).state], ['deleted', 'failed']);
    assert.deepEqual(await bed.leftovers(), []);
    await bed.clear();
  });
});

test('an outcome that no database takes is written without what it cannot hold', async () => {
  const id = await bed.volume();
  await store.volumes.updateIf(id, {}, { status: 'extending', previousStatus: 'available' });
  const operationId = await bed.record('extend_volume', id, { newSizeGb: 2 });
  bed.faults.fail('driver.extendVolume', 'before', 1, new Error(`stderr: \0${'x'.repeat(100_000)}`));
  await assert.rejects(bed.manager.perform(operationId));
  const { state, error } = await record(operationId);
  assert.equal(state, 'failed');
  assert.ok(error !== null && error.length <= 4000 && error.startsWith('stderr: x'));
  assert.equal(await statusOf(id), 'error_extending');
  await bed.clear();
});

test('arguments that cannot be read, and methods that nobody knows, end as failed', async () => {
  const { id } = await bed.insertVolume();
  const operationId = await bed.record('extend_volume', id, { newSizeGb: -1 });
  await assert.rejects(bed.manager.perform(operationId), /newSizeGb/);
  assert.deepEqual([(await record(operationId)).state, bed.faults.calls], ['failed', []]);
  await bed.clear();
});

test('a stop begins nothing more, and counts no attempt of what it leaves', async () => {
  const manager = bed.newManager();
  const busy = await bed.volume();
  await store.volumes.updateIf(busy, {}, { status: 'extending', previousStatus: 'available' });
  const running = await bed.record('extend_volume', busy, { newSizeGb: 2 });
  const waiting = await bed.record('terminate_connection', busy, { connector: null, force: false });
  const held = bed.faults.hold('driver.extendVolume');
  const first = manager.perform(running);
  await held.reached;
  const second = manager.perform(waiting);
  manager.stop();
  held.release();
  await first;
  await assert.rejects(second, (error) => isFailure(error, 'ServiceUnavailable'));
  const { state, attempt } = await record(waiting);
  assert.deepEqual([await statusOf(busy), state, attempt], ['available', 'queued', 0]);
  await bed.newManager().perform(waiting);
  await bed.clear();
});

test('operations that wait for one volume leave the others their places', async () => {
  const golden = await bed.volume();
  const copies: Promise<unknown>[] = [];
  const held = bed.faults.hold('driver.createClonedVolume');
  for (let i = 0; i < 20; i += 1) {
    const { id } = await bed.insertVolume({ sourceVolumeId: golden });
    copies.push(bed.ask('create_volume', id, { ...blankCreate, source: { kind: 'volume', volumeId: golden } }));
  }
  await held.reached;
  const other = await bed.volume();
  assert.equal(await statusOf(other), 'available', 'it did not wait for the copies');
  held.release();
  await Promise.all(copies);
  await bed.clear();
});

describe('a detach that comes twice', () => {
  test('leaves the export to those who still have the volume', async () => {
    const id = await bed.volume({ multiattach: true });
    await bed.ask('initialize_connection', id, { connector: CONNECTOR });
    const attach = async (hostName: string) => {
      const attachmentId = randomUUID();
      const more = { instanceId: null, hostName, mountpoint: '/dev/vdb', mode: 'rw' } as const;
      await bed.ask('attach_volume', id, { attachmentId, ...more });
      return attachmentId;
    };
    const [going] = [await attach('one'), await attach('two')];
    await bed.ask('detach_volume', id, { attachmentId: going });
    await bed.ask('detach_volume', id, { attachmentId: going });
    const volume = await store.volumes.get(id);
    assert.deepEqual([volume?.status, volume?.providerLocation === null], ['in-use', false]);
    assert.ok((await bed.leftovers()).includes(`export of volume-${id}`));
    await bed.clear();
  });
});

describe('at a start', () => {
  test('rows that nobody keeps a record of come to their end, and hosts without a pool get one', async () => {
    const types = { sourceVolume: await bed.volume({ host: SERVICE_HOST }) };
    const creating = await bed.insertVolume();
    const copying = await bed.insertVolume({ sourceVolumeId: types.sourceVolume });
    const deleting = await bed.volume();
    await store.volumes.updateIf(deleting, {}, { status: 'deleting' });
    const [snapshotting, unsnapshotting] = [
      await bed.insertSnapshot(types.sourceVolume),
      await bed.snapshot(types.sourceVolume),
    ];
    await store.snapshots.updateIf(unsnapshotting, {}, { status: 'deleting' });
    const missing = await bed.insertVolume({ host: `${SERVICE_HOST}`, status: 'error' });

    await recover(recovery());
    await recoverOperations(recovery());
    assert.equal(await statusOf(creating.id), 'available');
    assert.equal(await statusOf(copying.id), 'available');
    assert.equal(await statusOf(deleting), 'deleted');
    assert.equal((await store.snapshots.get(snapshotting))?.status, 'available');
    assert.equal(await store.snapshots.get(unsnapshotting), null);
    assert.equal((await store.volumes.get(types.sourceVolume))?.host, POOL);
    assert.equal((await store.volumes.get(missing.id))?.host, POOL, 'the backend’s name stands for a pool');
    const wanted = [creating.id, copying.id, types.sourceVolume].map((id) => `volume-${id}`);
    assert.deepEqual(await bed.leftovers(), [`snapshot-${snapshotting}`, ...wanted].sort());

    const before = (await store.operations.history(creating.id, 10)).length;
    await recover(recovery());
    assert.equal((await store.operations.history(creating.id, 10)).length, before, 'adopted once');
    await bed.clear();
  });

  test('a volume that was being deleted does not take snapshots with it that were not to go', async () => {
    const id = await bed.volume();
    const snapshotId = await bed.snapshot(id);
    await store.volumes.updateIf(id, {}, { status: 'deleting' });
    await recover(recovery());
    await recoverOperations(recovery());
    assert.equal(await statusOf(id), 'error_deleting');
    assert.deepEqual(await bed.leftovers(), [`snapshot-${snapshotId}`, `volume-${id}`]);
    await bed.clear();
  });

  test('a connection that nobody waits for any more is not made, though it never began', async () => {
    const id = await bed.volume();
    const operationId = await bed.record('initialize_connection', id, { connector: CONNECTOR });
    await recover(recovery());
    assert.equal((await record(operationId)).state, 'failed');
    assert.deepEqual(await bed.leftovers(), [`volume-${id}`]);
    await bed.clear();
  });

  test('a long copy that was cut off does not keep connections from being taken up', async () => {
    const source = await bed.volume();
    const { id } = await bed.insertVolume({ sourceVolumeId: source });
    const copy = await bed.record('create_volume', id, {
      ...blankCreate,
      source: { kind: 'volume', volumeId: source },
    });
    const attached = await bed.volume();
    const attachmentId = await bed.reserve(attached);
    await bed.record('attachment_update', attachmentId, { volumeId: attached, connector: CONNECTOR });
    const held = bed.faults.hold('driver.createClonedVolume');
    await recover(recovery());
    assert.equal((await store.attachments.get(attachmentId))?.attachStatus, 'attaching');
    const rest = recoverOperations(recovery());
    await held.reached;
    held.release();
    await rest;
    assert.equal((await record(copy)).state, 'done');
    await bed.clear();
  });
});

describe('a sweep', () => {
  test('takes up what a lost wake-up left, and neither what is young nor what another worker has', async () => {
    const [lost, foreign] = [await bed.insertVolume(), await bed.insertVolume()];
    const lostId = await bed.record('create_volume', lost.id, blankCreate);
    const foreignId = await bed.record('create_volume', foreign.id, blankCreate);
    await store.operations.claim(foreignId, SERVICE_HOST, randomUUID());
    assert.equal(await sweepOperations(recovery(), 3_600_000), 0);
    assert.equal(await sweepOperations(recovery(), 0), 1);
    assert.deepEqual([(await record(lostId)).state, (await record(foreignId)).state], ['done', 'running']);
    await recoverOperations(recovery());
    assert.equal((await record(foreignId)).state, 'done', 'a start takes it from whoever had it');
    await bed.clear();
  });
});

describe('exports that a target daemon lost', () => {
  test('are restored, but not that of a volume that is detached at the same moment', async () => {
    const [kept, going] = [await bed.volume(), await bed.volume()];
    await bed.connect(kept);
    const attachmentId = await bed.connect(going);
    for (const { name } of await bed.driver.list()) await bed.target.removeExport({ id: '', name });
    // The detach takes the export away between the restorer's look at the rows and its work.
    const held = bed.faults.hold('target.ensureExports');
    const restoring = restoreExports(recovery());
    await held.reached;
    await store.attachments.updateIf(attachmentId, {}, { attachStatus: 'detaching' });
    await bed.ask('attachment_delete', attachmentId, { volumeId: going });
    held.release();
    await (await restoring).settled;
    const exports = (await bed.leftovers()).filter((name) => name.startsWith('export'));
    assert.deepEqual(exports, [`export of volume-${kept}`]);
    await bed.clear();
  });
});
