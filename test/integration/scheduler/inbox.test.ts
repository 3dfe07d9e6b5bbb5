/** A scheduler among Cinder's api and volume services: their messages, captured and replayed. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Store } from '../../../src/db/store.ts';
import { isFailure } from '../../../src/model/errors.ts';
import type { NewVolume } from '../../../src/model/volume.ts';
import { createMemoryTransport } from '../../../src/rpc/memory.ts';
import type { RpcHandler, RpcMessage } from '../../../src/rpc/transport.ts';
import { schedulerMethods } from '../../../src/rpcapi/wire/scheduler-methods.ts';
import { type SchedulerService, startSchedulerService } from '../../../src/scheduler/service.ts';
import { readCapturedMessages } from '../../support/cinder-fixtures.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { defaultOptions } from '../../unit/scheduler/support.ts';

const PROJECT = '0123456789abcdef0123456789abcdef';
const CONTEXT = { requestId: 'req-1', userId: 'admin', projectId: PROJECT, isAdmin: true, roles: [] };
const BACKEND = 'node@lvm';
const captures = readCapturedMessages();

describe('a scheduler among peers', { timeout: 120_000 }, () => {
  let postgres: TestPostgres;
  let store: Store;
  let service: SchedulerService;
  let handler: RpcHandler;
  let typeId: string;
  /** What was sent to volume services. */
  let sent: RpcMessage[];

  before(async () => {
    postgres = await startTestPostgres();
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    store = await postgres.freshStore();
    typeId = (await store.types.getByName('__DEFAULT__'))!.id;
    sent = [];
    await store.services.register({
      ...{ host: BACKEND, binary: 'cinder-volume', topic: 'cinder-volume', availabilityZone: 'nova' },
      ...{ rpcCurrentVersion: '3.18', objectCurrentVersion: '1.39', disabledOnCreate: false },
    });
    const memory = createMemoryTransport();
    service = await startSchedulerService({
      store,
      transport: {
        ...memory,
        reach: 'network',
        listen(address, next) {
          if (address.topic === 'cinder-scheduler') handler = next;
          return memory.listen(address, next);
        },
        async cast(_, message) {
          sent.push(message);
        },
      },
      host: 'node',
      options: { ...defaultOptions, scheduler_driver_init_wait_time: 0 },
      availabilityZone: 'nova',
      reportIntervalMs: 60_000,
      enableNewServices: true,
      log: recorderLog(),
    });
  });
  afterEach(async () => {
    await service.stop({ timeoutMs: 2000 });
    await store.close();
  });

  const captured = (name: string, changes: Readonly<Record<string, unknown>> = {}) => {
    const { method, version, args } = captures.find(({ file }) => file === `${name}.json`)!;
    return { method, version, args: { ...args, ...changes }, context: CONTEXT };
  };
  const request = (method: string, volumeId: string, changes: Readonly<Record<string, unknown>> = {}) => {
    const message = captured(`rpc.cinder-scheduler.${method}`);
    const object = message.args.volume as Record<string, { id: string }>;
    const text = JSON.stringify(message.args).replaceAll(object['versioned_object.data']!.id, volumeId);
    return { ...message, args: { ...JSON.parse(text), ...changes } };
  };
  const deliver = (message: RpcMessage, id: string = randomUUID()) =>
    handler(message, { id, redelivered: false, ack() {} });
  const insert = (row: Partial<NewVolume> = {}) =>
    store.volumes.insert({
      ...{ id: randomUUID(), sizeGb: 1, volumeTypeId: typeId, status: 'creating', projectId: PROJECT, host: null },
      ...row,
    });
  const report = () => deliver(captured('fanout.cinder-scheduler_fanout.update_service_capabilities'));

  it('places a volume by what a Cinder reports, once, and sends it on with its record', async () => {
    await report();
    const { id } = await insert();
    const delivery = randomUUID();
    await deliver(request('create_volume', id), delivery);
    await deliver(request('create_volume', id), delivery);
    assert.equal((await store.volumes.get(id))?.host, `${BACKEND}#pool0`);
    const [record, ...others] = await store.operations.history(id, 10);
    assert.deepEqual([record?.owner, record?.state, others.length], [BACKEND, 'queued', 0]);
    assert.deepEqual(
      sent.map(({ method, operationId, args }) => [method, operationId, 'volume' in args]),
      [['create_volume', record?.id, true]],
    );
  });

  it('makes nothing of a late copy of a message whose record has moved on', async () => {
    await report();
    const { id } = await insert();
    await deliver(request('create_volume', id));
    const [record] = await store.operations.history(id, 10);
    await store.operations.claim(record!.id, BACKEND, randomUUID(), { steal: false });
    sent.length = 0;
    assert.equal(await deliver({ ...request('create_volume', id), operationId: record!.id }), null);
    const history = await store.operations.history(id, 10);
    assert.deepEqual(
      history.map(({ id, owner, state }) => [id, owner, state]),
      [[record!.id, BACKEND, 'running']],
    );
    assert.deepEqual(sent, []);
  });

  it('looks up where the source of a copy is', async () => {
    await report();
    const source = await insert({ status: 'available', host: 'elsewhere@lvm#pool0' });
    const { id } = await insert({ sourceVolumeId: source.id });
    await deliver(request('create_volume', id, { request_spec: { source_volid: source.id } }));
    const volume = await store.volumes.get(id);
    assert.deepEqual([volume?.status, volume?.host], ['error', null]);
    // One that is gone is found out by the volume service.
    const orphan = await insert();
    await deliver(request('create_volume', orphan.id, { request_spec: { source_volid: randomUUID() } }));
    assert.equal((await store.volumes.get(orphan.id))?.host, `${BACKEND}#pool0`);
  });

  it('refuses what no pool takes: the volume in error, or as it was, and a failed record', async () => {
    await report();
    const tooLarge = await insert({ sizeGb: 2_000_000_000 });
    await deliver(request('create_volume', tooLarge.id));
    assert.equal((await store.volumes.get(tooLarge.id))?.status, 'error');
    const growing = await insert({ status: 'extending', previousStatus: 'available', host: `${BACKEND}#pool0` });
    await deliver(request('extend_volume', growing.id, { new_size: 2_000_000_000, reservations: [randomUUID()] }));
    assert.equal((await store.volumes.get(growing.id))?.status, 'available');
    const [record] = await store.operations.history(growing.id, 1);
    assert.deepEqual([record?.state, record?.errorCode], ['failed', 'NoValidBackend']);
  });

  it('passes a snapshot on to where its volume is', async () => {
    const volume = await insert({ status: 'available', host: `${BACKEND}#pool0` });
    const id = randomUUID();
    const row = { id, volumeId: volume.id, volumeSizeGb: 1, volumeTypeId: typeId, projectId: PROJECT } as const;
    await store.snapshots.insert({ ...row, status: 'creating' });
    const message = request('create_snapshot', volume.id);
    const object = message.args.snapshot as Record<string, Record<string, unknown>>;
    const data = { ...object['versioned_object.data'], id, volume_id: volume.id };
    const snapshot = { ...object, 'versioned_object.data': data };
    await deliver({ ...message, args: { ...message.args, snapshot } });
    const [record] = await store.operations.history(id, 10);
    assert.deepEqual([record?.owner, record?.method], [BACKEND, 'create_snapshot']);
    assert.deepEqual(sent[0]?.operationId, record?.id);
  });

  it('refuses retype, migration and taking over, and gives the volume back', async () => {
    const cases = [
      ['retype', { status: 'retyping' }, 'available'],
      ['migrate_volume', { status: 'maintenance', previousStatus: 'available' }, 'available'],
      ['manage_existing', { status: 'managing' }, 'error_managing'],
    ] as const;
    for (const [method, row, becomes] of cases) {
      const { id } = await insert(row);
      await assert.rejects(deliver(request(method, id)), (error) => isFailure(error, 'NotImplemented'));
      assert.equal((await store.volumes.get(id))?.status, becomes, method);
    }
  });

  it('answers questions, and every method there is', async () => {
    await report();
    const pools = (await deliver(captured('rpc.cinder-scheduler.get_pools'))) as { name: string }[];
    assert.deepEqual(
      pools.map(({ name }) => name),
      [`${BACKEND}#pool0`],
    );
    assert.deepEqual(await deliver(captured('rpc.cinder-scheduler.work_cleanup')), [[], []]);
    assert.equal(await deliver(captured('rpc.cinder-scheduler.notify_service_capabilities')), null);
    const check = (size: number) =>
      deliver({
        ...{ method: 'validate_host_capacity', version: '3.8', context: CONTEXT },
        args: {
          ...{ backend: `${BACKEND}#pool0`, filter_properties: null },
          request_spec: { volume_properties: { size, volume_type_id: typeId } },
        },
      });
    assert.equal(await check(1), null);
    await assert.rejects(check(2_000_000_000), (error) => isFailure(error, 'NoValidBackend'));
    for (const [method, { versions, args }] of Object.entries(schedulerMethods)) {
      if (method === 'update_service_capabilities' || Object.keys(args).length === 0) continue;
      const message = { method, version: versions[0] ?? '3.0', args: { nonsense: 1 }, context: CONTEXT };
      await assert.rejects(deliver(message), (error) => isFailure(error, 'NotImplemented', 'InvalidArguments'), method);
    }
  });
});
