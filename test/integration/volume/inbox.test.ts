/** Messages as a Cinder's api and scheduler send them, on rows as they make them: captured ones, replayed. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/cmd/local/postgres.ts';
import { type Database, openDatabase } from '../../../src/db/connection.ts';
import { dbSync } from '../../../src/db/migrate.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import type { Store } from '../../../src/db/store.ts';
import { armFailpoints } from '../../../src/lib/failpoint.ts';
import { failure, isFailure } from '../../../src/model/errors.ts';
import type { NewVolume } from '../../../src/model/volume.ts';
import { createMemoryTransport } from '../../../src/rpc/memory.ts';
import { NotTaken, type RpcHandler, type Transport } from '../../../src/rpc/transport.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../../../src/rpcapi/requests.ts';
import { volumeMethods } from '../../../src/rpcapi/wire/volume-methods.ts';
import { startVolumeService, type VolumeService } from '../../../src/volume/service.ts';
import { readCapturedMessages } from '../../support/cinder-fixtures.ts';
import { eventually } from '../../support/node-process.ts';
import { silentLog } from '../../support/postgres.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { CONNECTOR, openVolumeBed, POOL, SERVICE_HOST, type VolumeBed } from '../../support/volume-bed.ts';

const PROJECT = '0123456789abcdef0123456789abcdef';
const CONTEXT = { requestId: 'req-1', userId: 'admin', projectId: PROJECT, isAdmin: true, roles: [] };
const captures = readCapturedMessages();

let stateDir: string;
let server: EmbeddedPostgres;
let database: Database;
let store: Store;
let bed: VolumeBed;
let transport: Transport;
let service: VolumeService;
let typeId: string;
const handlers: RpcHandler[] = [];
const log = recorderLog();

before(async () => {
  stateDir = await mkdtemp('/dev/shm/ashlar-pg-').catch(() => mkdtemp(join(tmpdir(), 'ashlar-pg-')));
  server = await startEmbeddedPostgres({ stateDir, log: silentLog });
  database = openDatabase({ connection: server.connection });
  await dbSync(database);
  store = createStore(database);
  bed = await openVolumeBed(store);
  typeId = (await store.types.getByName('__DEFAULT__'))!.id;
  const memory = createMemoryTransport();
  transport = {
    ...memory,
    reach: 'network',
    listen(address, handler) {
      if (address.topic === VOLUME_TOPIC) handlers.push(handler);
      return memory.listen(address, handler);
    },
  };
  await start();
});
after(async () => {
  await service?.stop({ timeoutMs: 2000 });
  await store?.close();
  await server?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

async function start(differing: { readonly store?: Store } = {}): Promise<void> {
  handlers.length = 0;
  const up = Promise.withResolvers<void>();
  service = await startVolumeService({
    store: differing.store ?? store,
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
    reportIntervalMs: 60_000,
    statsIntervalMs: 60_000,
    enableNewServices: true,
    concurrency: 4,
    maxAttempts: 3,
    maxRetryPauseMs: 10,
    serviceDownTimeMs: 1000,
    onState: ({ kind }) => {
      if (kind === 'up') up.resolve();
    },
    log,
  });
  await up.promise;
}

/** A captured message, about that volume and sent here; `changes` are laid over its arguments. */
function captured(method: string, volumeId: string, changes: Readonly<Record<string, unknown>> = {}) {
  const { version, args } = captures.find(({ file }) => file === `rpc.cinder-volume.${method}.json`)!;
  const object = (args.volume ?? args.vref) as Record<string, { id: string }> | undefined;
  const oldId = (args.volume_id as string | undefined) ?? object?.['versioned_object.data']?.id ?? '';
  const text = JSON.stringify(args).replaceAll('node@lvm#pool0', POOL);
  const here = oldId === '' ? text : text.replaceAll(oldId, volumeId);
  return { method, version, args: { ...JSON.parse(here), ...changes }, context: CONTEXT };
}

type Message = ReturnType<typeof captured>;

/** Delivers a message as a broker would; `acks` counts its acknowledgements. */
function deliver(message: Message, { id = randomUUID(), redelivered = false } = {}) {
  let acks = 0;
  const answer = handlers[0]!(message, { id, redelivered, ack: () => acks++ });
  answer.catch(() => undefined);
  return { id, answer, acks: () => acks };
}

const insert = (row: Partial<NewVolume> = {}) =>
  store.volumes.insert({
    ...{ id: randomUUID(), sizeGb: 1, volumeTypeId: typeId, status: 'creating', projectId: PROJECT, host: POOL },
    ...row,
  });
const statusOf = async (id: string) => (await store.volumes.get(id, { deleted: true }))?.status;
const rows = async (sql: string, bindings: Record<string, string>) =>
  (await database.knex.raw(sql, bindings)).rows as Record<string, unknown>[];
const messagesOf = (id: string) => rows('select event_id, project_id from messages where resource_uuid = :id', { id });

async function created(row: Partial<NewVolume> = {}): Promise<string> {
  const { id } = await insert(row);
  await deliver(captured('create_volume', id)).answer;
  assert.equal(await statusOf(id), 'available');
  return id;
}

test('a volume is made once, however often its message comes, and says on which service it is', async () => {
  const { id } = await insert();
  const held = bed.faults.hold('driver.createVolume');
  const first = deliver(captured('create_volume', id));
  await held.reached;
  assert.equal(first.acks(), 1, 'acknowledged after the claim, before the end');
  const again = deliver(captured('create_volume', id), { id: first.id, redelivered: true });
  const other = deliver(captured('create_volume', id));
  held.release();
  await Promise.all([first.answer, again.answer]);
  // It joins the work, or comes when that has ended; and does nothing either way.
  await other.answer.catch((error: unknown) => assert.ok(isFailure(error, 'Overtaken')));
  await deliver(captured('create_volume', id), { id: first.id, redelivered: true }).answer;
  assert.equal(bed.faults.calls.filter((call) => call === 'driver.createVolume').length, 1);
  assert.equal((await store.operations.history(id, 10)).filter(({ state }) => state === 'done').length, 1);
  const volume = await store.volumes.get(id);
  const own = await store.services.get(SERVICE_HOST, 'cinder-volume');
  assert.deepEqual([volume?.status, volume?.serviceUuid], ['available', own?.uuid]);
  // A stale message of another id finds the volume made.
  await assert.rejects(deliver(captured('create_volume', id)).answer, (error) => isFailure(error, 'Overtaken'));
  assert.equal(await statusOf(id), 'available');
});

test('a message cut off between its record and its acknowledgement is done when it comes again', async () => {
  const { id } = await insert();
  armFailpoints({ actions: new Map([['inbox.recorded', { hit: 1, action: 'throw' }]]) });
  const first = deliver(captured('create_volume', id));
  await assert.rejects(first.answer, /fail point/);
  armFailpoints(undefined);
  assert.equal(first.acks(), 0);
  await deliver(captured('create_volume', id), { id: first.id, redelivered: true }).answer;
  assert.equal(await statusOf(id), 'available');
  assert.equal((await store.operations.history(id, 10)).length, 1);
});

test('an image asked for ends in error with a message, never stuck', async () => {
  const { id } = await insert();
  const message = captured('create_volume', id, { request_spec: { image_id: randomUUID() } });
  await assert.rejects(deliver(message).answer, (error) => isFailure(error, 'NotImplemented'));
  assert.equal(await statusOf(id), 'error');
  assert.deepEqual(await messagesOf(id), [{ event_id: 'VOLUME_VOLUME_008_012', project_id: PROJECT }]);
});

test('a failed create ends in error, with a message for the users of the peer', async () => {
  const { id } = await insert();
  bed.faults.fail('driver.createVolume', 'before', 1, failure('BackendFull', { freeGb: 0, requestedGb: 1 }));
  const message = captured('create_volume', id, { allow_reschedule: false });
  await assert.rejects(deliver(message).answer, (error) => isFailure(error, 'BackendFull'));
  bed.faults.clear();
  assert.equal(await statusOf(id), 'error');
  assert.deepEqual(await messagesOf(id), [{ event_id: 'VOLUME_VOLUME_008_012', project_id: PROJECT }]);
});

test('a record that our api wrote and another scheduler passed on without it is taken over', async () => {
  const { id } = await insert();
  const operationId = randomUUID();
  const args = { source: { kind: 'blank' }, pinnedHost: null, availabilityZone: null, excludedHosts: [] };
  const what = { resourceType: 'volume', resourceId: id, method: 'create_volume', arguments: args } as const;
  const who = { requestId: 'req-9', userId: 'u', projectId: PROJECT };
  await store.operations.record({ id: operationId, ...what, ...who, owner: SCHEDULER_TOPIC });
  await deliver(captured('create_volume', id)).answer;
  assert.deepEqual(
    (await store.operations.history(id, 10)).map((operation) => [operation.id, operation.owner, operation.state]),
    [[operationId, SERVICE_HOST, 'done']],
  );
});

test('what is on another backend is not touched', async () => {
  const { id } = await insert({ host: 'elsewhere@fake#fake', status: 'deleting' });
  await assert.rejects(deliver(captured('delete_volume', id)).answer, (error) => isFailure(error, 'InvalidVolume'));
  assert.equal(await statusOf(id), 'deleting');
  await store.volumes.updateIf(id, {}, { deleted: true });
});

async function quota(resource: string, inUse: number, reserved = 0): Promise<void> {
  await rows(
    `insert into quota_usages (project_id, resource, in_use, reserved, deleted, created_at)
     values ('${PROJECT}', :resource, ${inUse}, ${reserved}, false, now()) returning id`,
    { resource },
  );
}
const usage = async () =>
  Object.fromEntries(
    (await rows('select resource, in_use, reserved from quota_usages order by id', {})).map((row) => [
      row.resource,
      [row.in_use, row.reserved],
    ]),
  );

test('extend commits the reservations once, or rolls them back where it fails; delete gives the quota back', async () => {
  await rows('delete from reservations', {});
  await rows('delete from quota_usages', {});
  await quota('volumes', 5);
  await quota('gigabytes', 10, 4);
  const reserve = async (delta: number) => {
    const uuid = randomUUID();
    await rows(
      `insert into reservations (uuid, usage_id, project_id, resource, delta, deleted, created_at)
       select :uuid, id, project_id, resource, ${delta}, false, now() from quota_usages where resource = 'gigabytes'
       returning id`,
      { uuid },
    );
    return uuid;
  };
  const id = await created();
  const extending = { status: 'extending', previousStatus: 'available' } as const;
  await store.volumes.updateIf(id, {}, extending);
  const reservation = await reserve(2);
  const grown = deliver(captured('extend_volume', id, { new_size: 3, reservations: [reservation] }));
  await grown.answer;
  await deliver(captured('extend_volume', id, { new_size: 3, reservations: [reservation] }), { id: grown.id }).answer;
  assert.deepEqual(await usage(), { volumes: [5, 0], gigabytes: [12, 2] });
  assert.deepEqual([await statusOf(id), (await store.volumes.get(id))?.sizeGb], ['available', 3]);

  await store.volumes.updateIf(id, {}, extending);
  bed.faults.fail('driver.extendVolume', 'before', 1, new Error('no room'));
  const failed = captured('extend_volume', id, { new_size: 5, reservations: [await reserve(2)] });
  await assert.rejects(deliver(failed).answer);
  bed.faults.clear();
  assert.equal(await statusOf(id), 'error_extending');
  assert.deepEqual(await usage(), { volumes: [5, 0], gigabytes: [12, 0] });

  await store.volumes.updateIf(id, {}, { status: 'deleting' });
  await deliver(captured('delete_volume', id)).answer;
  assert.equal(await statusOf(id), 'deleted');
  assert.deepEqual(await usage(), { volumes: [4, 0], gigabytes: [9, 0] });
});

test('snapshots are made and deleted, and go with their volume where asked', async () => {
  const id = await created();
  const snapshot = async () => {
    const row = { id: randomUUID(), volumeId: id, volumeSizeGb: 1, volumeTypeId: typeId, projectId: PROJECT } as const;
    await store.snapshots.insert({ ...row, status: 'creating' });
    return row.id;
  };
  const message = (method: string, snapshotId: string) => {
    const base = captured(method, id);
    const object = base.args.snapshot as Record<string, Record<string, unknown>>;
    const data = { ...object['versioned_object.data'], id: snapshotId, volume_id: id };
    return { ...base, args: { ...base.args, snapshot: { ...object, 'versioned_object.data': data } } };
  };
  const one = await snapshot();
  await deliver(message('create_snapshot', one)).answer;
  assert.equal((await store.snapshots.get(one))?.status, 'available');
  const two = await snapshot();
  await deliver(message('create_snapshot', two)).answer;
  await store.snapshots.updateIf(one, {}, { status: 'deleting' });
  await deliver(message('delete_snapshot', one)).answer;
  assert.equal(await store.snapshots.get(one), null);
  await store.snapshots.updateIf(two, {}, { status: 'deleting' });
  await store.volumes.updateIf(id, {}, { status: 'deleting' });
  await deliver(captured('delete_volume', id, { cascade: true })).answer;
  assert.equal(await store.snapshots.get(two), null);
  assert.equal(await statusOf(id), 'deleted');
});

test('attachments: connected and ended as a peer leaves their rows; a call that comes again has the same answer', async () => {
  const id = await created();
  const attachmentId = await bed.reserve(id);
  const update = captured('attachment_update', id, { connector: CONNECTOR, attachment_id: attachmentId });
  const first = deliver(update);
  const info = (await first.answer) as Record<string, unknown>;
  assert.deepEqual([info.attachment_id, info.driver_volume_type], [attachmentId, 'iscsi']);
  assert.deepEqual(await deliver(update, { id: first.id, redelivered: true }).answer, info);
  assert.equal((await store.operations.history(attachmentId, 10)).length, 1);
  assert.ok(!JSON.stringify(await store.operations.history(attachmentId, 10)).includes(String(info.auth_password)));
  // A peer's api completes it itself, and says nothing in the row before it deletes it.
  await store.attachments.updateIf(attachmentId, {}, { attachStatus: 'attached' });
  await store.volumes.updateIf(id, {}, { status: 'in-use' });
  assert.equal(await deliver(captured('attachment_delete', id, { attachment_id: attachmentId })).answer, null);
  assert.equal(await statusOf(id), 'available');
  assert.equal(await store.attachments.get(attachmentId), null);
});

test('the older calls: reserve, connect, attach, detach, disconnect', async () => {
  const id = await created();
  await store.volumes.updateIf(id, {}, { status: 'attaching' });
  const connecting = deliver(captured('initialize_connection', id, { connector: CONNECTOR }));
  const connection = (await connecting.answer) as { driver_volume_type: string };
  assert.equal(connection.driver_volume_type, 'iscsi');
  const again = captured('initialize_connection', id, { connector: CONNECTOR });
  assert.deepEqual(await deliver(again, { id: connecting.id, redelivered: true }).answer, connection);
  const attached = (await deliver(captured('attach_volume', id)).answer) as Record<string, Record<string, unknown>>;
  assert.equal(attached['versioned_object.name'], 'VolumeAttachment');
  const attachmentId = attached['versioned_object.data']!.id as string;
  assert.equal(await statusOf(id), 'in-use');
  await store.volumes.updateIf(id, {}, { status: 'detaching' });
  assert.equal(await deliver(captured('terminate_connection', id, { connector: CONNECTOR })).answer, null);
  assert.equal(await deliver(captured('detach_volume', id, { attachment_id: attachmentId })).answer, null);
  assert.deepEqual([await statusOf(id), (await store.volumes.get(id))?.providerLocation], ['available', null]);
});

test('retype in place changes the type; what would have to move is refused, and the volume is as it was', async () => {
  const other = await store.types.insert({ id: randomUUID(), name: `t-${randomUUID()}`, extraSpecs: { qos: 'good' } });
  const thick = await store.types.insert({
    ...{ id: randomUUID(), name: `t-${randomUUID()}`, extraSpecs: { 'provisioning:type': 'thick' } },
  });
  const id = await created();
  const ask = async (newTypeId: string, host: string) => {
    await store.volumes.updateIf(id, {}, { status: 'retyping', previousStatus: 'available' });
    const changes = {
      new_type_id: newTypeId,
      host: { host, capabilities: {} },
      reservations: [],
      old_reservations: [],
    };
    await deliver(captured('retype', id, changes)).answer;
  };
  await assert.rejects(ask(other.id, 'elsewhere@fake#fake'), /would have to move/);
  await assert.rejects(ask(thick.id, POOL), /provisioning:type/);
  assert.deepEqual([await statusOf(id), (await store.volumes.get(id))?.volumeTypeId], ['available', typeId]);
  await ask(other.id, POOL);
  assert.deepEqual([await statusOf(id), (await store.volumes.get(id))?.volumeTypeId], ['available', other.id]);
});

test('every method has an answer, and what is refused gives its volume back', async () => {
  for (const [method, { args, versions }] of Object.entries(volumeMethods)) {
    const message = { method, version: versions[0] ?? '3.0', args: { nonsense: 1 }, context: CONTEXT };
    if (Object.keys(args).length === 0 && method !== 'add_periodic_task') continue;
    await assert.rejects(deliver(message).answer, (error) => isFailure(error, 'NotImplemented', 'InvalidArguments'));
  }
  const cases = [
    [
      'migrate_volume',
      { status: 'maintenance', previousStatus: 'available', migrationStatus: 'starting' },
      'available',
    ],
    ['revert_to_snapshot', { status: 'reverting' }, 'available'],
    ['manage_existing', { status: 'managing' }, 'error_managing'],
  ] as const;
  for (const [method, changes, becomes] of cases) {
    const { id } = await insert();
    await store.volumes.updateIf(id, {}, changes);
    await assert.rejects(deliver(captured(method, id)).answer, (error) => isFailure(error, 'NotImplemented'));
    const volume = await store.volumes.get(id);
    assert.equal(volume?.status, becomes, method);
    if (method === 'migrate_volume') assert.equal(volume?.migrationStatus, 'error');
  }
  assert.equal(await deliver(captured('secure_file_operations_enabled', await created())).answer, false);
  assert.equal(await deliver(captured('remove_export', await created())).answer, null);
  assert.deepEqual(await deliver({ ...captured('freeze_host', ''), args: {} }).answer, true);
  assert.deepEqual(await deliver({ ...captured('thaw_host', ''), args: {} }).answer, true);
  const bad = { method: 'nothing', version: '3.0', args: {}, context: CONTEXT };
  await assert.rejects(deliver(bad).answer, (error) => isFailure(error, 'NoSuchMethod'));
  const tooNew = { ...bad, method: 'freeze_host', version: '3.99' };
  await assert.rejects(deliver(tooNew).answer, (error) => isFailure(error, 'UnsupportedVersion'));
});

test('a service that stops gives back what it has not begun, without a trace, and the next one does it', async () => {
  const volumes = await Promise.all(Array.from({ length: 8 }, () => insert()));
  const held = bed.faults.hold('driver.createVolume');
  const sent = volumes.map(({ id }) => ({ volumeId: id, ...deliver(captured('create_volume', id)) }));
  await held.reached;
  const stopping = service.stop({ timeoutMs: 10_000 });
  held.release();
  await stopping;
  const outcomes = await Promise.allSettled(sent.map(({ answer }) => answer));
  const back = sent.filter((_, index) => {
    const outcome = outcomes[index]!;
    return outcome.status === 'rejected' && outcome.reason instanceof NotTaken;
  });
  assert.ok(back.length > 0 && back.length < sent.length, `${back.length} of ${sent.length} given back`);
  for (const { volumeId, acks } of back) {
    assert.equal(acks(), 0);
    assert.deepEqual(await store.operations.history(volumeId, 10), []);
  }
  await start();
  for (const { volumeId, id } of back) await deliver(captured('create_volume', volumeId), { id }).answer;
  for (const { id } of volumes) assert.equal(await statusOf(id), 'available');
});

test('a message waits for a database that is away, unacknowledged', async () => {
  let away = true;
  const lossy: Store = {
    ...store,
    operations: {
      ...store.operations,
      recordForVolume: async (...args) => {
        if (away) throw failure('ConnectionFailed', { what: 'Database test', reason: 'it is away' });
        return await store.operations.recordForVolume(...args);
      },
    },
  };
  await service.stop({ timeoutMs: 5000 });
  await start({ store: lossy });
  const { id } = await insert();
  const sent = deliver(captured('create_volume', id));
  await eventually('the wait', async () => /message waits for the database/.exec(log.text()) ?? undefined);
  assert.equal(sent.acks(), 0);
  away = false;
  await sent.answer;
  assert.equal(await statusOf(id), 'available');
});

test('at a start: what may still wait in a queue is left to its message, what a peer left half done is told', async () => {
  const waiting = await insert();
  const begun = await insert();
  const copy = await insert({ sourceVolumeId: await created() });
  await rows(
    `insert into workers (resource_type, resource_id, status, deleted, race_preventer, created_at)
     values ('Volume', :id, 'creating', false, 0, now()) returning id`,
    { id: begun.id },
  );
  await service.stop({ timeoutMs: 5000 });
  await start();
  await eventually('the copy', async () => ((await statusOf(copy.id)) === 'available' ? true : undefined));
  assert.deepEqual([await statusOf(waiting.id), await statusOf(begun.id)], ['creating', 'error']);
  assert.equal((await messagesOf(begun.id)).length, 1);
  await deliver(captured('create_volume', waiting.id)).answer;
  assert.equal(await statusOf(waiting.id), 'available');
});
