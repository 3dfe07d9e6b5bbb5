import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { type Database, openDatabase } from '../../../../src/db/connection.ts';
import { createStore } from '../../../../src/db/postgres-store.ts';
import type { Store } from '../../../../src/db/store.ts';
import { createSchedulerRpc, createVolumeRpc } from '../../../../src/rpc/clients.ts';
import { createInquiryRpc } from '../../../../src/rpc/inquiry.ts';
import { createMemoryTransport } from '../../../../src/rpc/memory.ts';
import type { Transport } from '../../../../src/rpc/transport.ts';
import { createSchedulerManager, type SchedulerManager } from '../../../../src/scheduler/manager.ts';
import { type SchedulerOptions, schedulerOptions } from '../../../../src/scheduler/options.ts';
import { createOperationRpc } from '../../../../src/service/peers/operation-rpc.ts';
import { settlePeerOperations } from '../../../../src/service/peers/settlement.ts';
import { addForeignService, type CinderStandIn, startCinderStandIn } from '../../../support/cinder-volume-stand-in.ts';
import { eventually } from '../../../support/node-process.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres.ts';
import { recorderLog } from '../../../support/recorder-log.ts';
import { openTestApi, PROJECT, type TestApi } from '../../../support/test-api.ts';
import { defaultsOf } from '../../../support/volume-bed.ts';

const HOST = 'node@lvm';
const connector = { host: 'compute', initiator: 'iqn.1993-08.org.debian:01:abc', ip: '192.0.2.7' };
const context = { requestId: 'req-1', userId: 'u', projectId: PROJECT, isAdmin: true, roles: ['admin'] };

describe("a volume service of another make behind Ashlar's API and scheduler", () => {
  let postgres: TestPostgres;
  let database: Database;
  let store: Store;
  let api: TestApi;
  let peer: CinderStandIn;
  let scheduler: SchedulerManager;
  const log = recorderLog();
  // Whoever is at the other end of a network is not known, so everything is said in full.
  const transport: Transport = { ...createMemoryTransport(), reach: 'network' };

  before(async () => {
    postgres = await startTestPostgres();
    database = openDatabase({ connection: await postgres.migratedDatabase() });
    store = createStore(database);
    const operations = createOperationRpc({ transport, store, log });
    const options = defaultsOf(schedulerOptions) as unknown as SchedulerOptions;
    scheduler = createSchedulerManager({ store, operations, options, log });
    await transport.listen({ topic: 'cinder-scheduler', server: 'node' }, async ({ method, args, operationId }) => {
      if (method === 'update_service_capabilities') return scheduler.receiveCapabilities(args);
      if (method === 'get_pools') return await scheduler.getPools(args.filters as Record<string, unknown> | null);
      return await scheduler.perform(operationId!);
    });
    peer = await startCinderStandIn({ knex: database.knex, transport, host: HOST });
    await peer.reportCapabilities();
    const timeoutMs = 10_000;
    api = openTestApi({
      store,
      operations,
      scheduler: createSchedulerRpc(transport, { timeoutMs }),
      volume: createVolumeRpc(transport, { timeoutMs }),
      inquiry: createInquiryRpc(transport),
    });
  });

  after(async () => {
    await api?.close();
    await peer?.close();
    await transport.close();
    await store?.close();
    await postgres?.stop();
  });

  /** The resource's newest record, once it has ended. */
  const ended = (id: string) =>
    eventually('the record to end', async () => {
      await settlePeerOperations(store, log);
      const [newest] = await store.operations.history(id, 1);
      return newest?.finishedAt === null ? undefined : newest;
    });

  async function createVolume(body: object = { size: 2 }): Promise<string> {
    const { status, body: answer } = await api.call('POST', '/volumes', { volume: body });
    assert.equal(status, 202, JSON.stringify(answer));
    await ended(answer.volume.id);
    return answer.volume.id;
  }

  const statusOf = async (id: string) => (await api.call('GET', `/volumes/${id}`)).body.volume?.status;

  test('what is asked arrives in the form that it takes, and the record ends as its resource says', async () => {
    const id = await createVolume();
    assert.equal(await statusOf(id), 'available');
    const sent = peer.received.find(({ method }) => method === 'create_volume')!;
    const properties = sent.args.filter_properties as Record<string, unknown>;
    const retry = { num_attempts: 1, backends: ['node@lvm#pool0'], hosts: ['node@lvm#pool0'] };
    assert.deepEqual(properties.retry, retry);
    assert.equal(sent.args.allow_reschedule, true);
    assert.equal((await store.volumes.get(id))?.host, 'node@lvm#pool0');

    await api.call('POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 3 } });
    assert.equal((await ended(id)).state, 'done');
    assert.equal((await api.call('GET', `/volumes/${id}`)).body.volume.size, 3);

    const { body } = await api.call('POST', '/snapshots', { snapshot: { volume_id: id } });
    assert.equal((await ended(body.snapshot.id)).state, 'done');
    await createVolume({ size: 3, snapshot_id: body.snapshot.id });
    await api.call('DELETE', `/snapshots/${body.snapshot.id}`);
    assert.equal((await ended(body.snapshot.id)).state, 'done');

    await api.call('DELETE', `/volumes/${id}`);
    assert.equal((await ended(id)).state, 'done');
    assert.equal((await api.call('GET', `/volumes/${id}`)).status, 404);
    assert.deepEqual(peer.faults, []);
  });

  test('what fails there is a failure with a message here', async () => {
    peer.failNext('create_volume');
    const id = await createVolume();
    assert.equal(await statusOf(id), 'error');
    const [record] = await store.operations.history(id, 1);
    assert.equal(record?.state, 'failed');
    const { body } = await api.call('GET', '/messages');
    const message = body.messages.find(({ resource_uuid }: { resource_uuid: string }) => resource_uuid === id);
    assert.match(message.user_message, /node@lvm did not do create_volume: it left status error/);

    const reason = { projectId: PROJECT, requestId: 'req-told' };
    await store.operations.record({
      ...{ id: randomUUID(), resourceType: 'volume', resourceId: id, method: 'create_volume', arguments: {} },
      ...{ ...reason, userId: 'u', owner: HOST },
    });
    const numbers = { resourceType: 'VOLUME', resourceId: id, actionId: '001', detailId: '003' } as const;
    await store.peers.addMessage(numbers, reason);
    await settlePeerOperations(store, log);
    assert.match((await ended(id)).error ?? '', /left status error.* It says: no backend was fit for it\.$/);

    peer.failNext('delete_volume');
    await api.call('DELETE', `/volumes/${id}`);
    assert.equal((await ended(id)).state, 'failed');
    assert.equal(await statusOf(id), 'error_deleting');
  });

  test('an attachment goes its whole way, with the same answers', async () => {
    const id = await createVolume();
    const created = await api.call('POST', '/attachments', { attachment: { volume_uuid: id, connector } });
    assert.equal(created.status, 200, JSON.stringify(created.body));
    const { attachment } = created.body;
    assert.equal(attachment.status, 'attaching');
    assert.equal(attachment.connection_info.driver_volume_type, 'iscsi');
    assert.equal(attachment.connection_info.attachment_id, attachment.id);
    assert.equal((await store.operations.history(attachment.id, 1))[0]?.state, 'done');
    const completed = await api.call('POST', `/attachments/${attachment.id}/action`, { 'os-complete': {} });
    assert.equal(completed.status, 204);
    assert.equal(await statusOf(id), 'in-use');
    const removed = await api.call('DELETE', `/attachments/${attachment.id}`);
    assert.equal(removed.status, 200, JSON.stringify(removed.body));
    assert.deepEqual(removed.body.attachments, []);
    assert.equal(await statusOf(id), 'available');
    assert.equal(log.text().includes('stand-in-secret'), false);
    const secret = await database.knex('ashlar_operations').whereRaw("result::text like '%stand-in-secret%'");
    assert.deepEqual(secret, []);
  });

  test('a connection that fails takes the new attachment away, or marks the one that was there', async () => {
    const id = await createVolume();
    peer.failNext('attachment_update');
    const refused = await api.call('POST', '/attachments', { attachment: { volume_uuid: id, connector } });
    assert.equal(refused.status, 500);
    assert.deepEqual((await api.call('GET', `/attachments?volume_id=${id}`)).body.attachments, []);
    assert.equal(await statusOf(id), 'available');

    const { body } = await api.call('POST', '/attachments', { attachment: { volume_uuid: id } });
    peer.failNext('attachment_update');
    const update = await api.call('PUT', `/attachments/${body.attachment.id}`, { attachment: { connector } });
    assert.equal(update.status, 500);
    assert.equal((await store.attachments.get(body.attachment.id))?.attachStatus, 'error_attaching');
    const again = await api.call('PUT', `/attachments/${body.attachment.id}`, { attachment: { connector } });
    assert.equal(again.status, 200, JSON.stringify(again.body));
  });

  test('the older calls: connect, attach (the peer names the attachment), detach, let go', async () => {
    const id = await createVolume();
    const act = (body: object) => api.call('POST', `/volumes/${id}/action`, body);
    await act({ 'os-reserve': {} });
    const { body } = await act({ 'os-initialize_connection': { connector } });
    assert.equal(body.connection_info.data.target_lun, 0);
    const attached = await act({ 'os-attach': { instance_uuid: id, mountpoint: '/dev/vdb', mode: 'rw' } });
    assert.equal(attached.status, 202, JSON.stringify(attached.body));
    assert.equal(await statusOf(id), 'in-use');
    assert.equal((await store.attachments.listByVolume(id)).length, 1);
    await act({ 'os-begin_detaching': {} });
    await act({ 'os-terminate_connection': { connector } });
    assert.equal((await act({ 'os-detach': {} })).status, 202);
    assert.equal(await statusOf(id), 'available');
    const unfinished = await store.operations.listUnfinished(HOST, 100);
    assert.deepEqual(unfinished, []);
  });

  test('pools, services, capabilities, freeze and thaw', async () => {
    const pools = await api.call('GET', '/scheduler-stats/get_pools?detail=true');
    assert.deepEqual(
      pools.body.pools.map(({ name }: { name: string }) => name),
      ['node@lvm#pool0'],
    );
    const { body } = await api.call('GET', '/os-services');
    assert.equal(body.services.find(({ host }: { host: string }) => host === HOST).state, 'up');
    const capabilities = await createVolumeRpc(transport, { timeoutMs: 5000 }).getCapabilities(context, HOST);
    assert.equal(capabilities.vendor_name, 'Open Source');
    assert.equal((await api.call('PUT', '/os-services/freeze', { host: HOST })).status, 200);
    assert.equal((await store.services.get(HOST, 'cinder-volume'))?.frozen, true);
    assert.equal((await api.call('PUT', '/os-services/thaw', { host: HOST })).status, 200);
    assert.deepEqual(
      peer.received.slice(-2).map(({ method }) => method),
      ['freeze_host', 'thaw_host'],
    );
  });

  test('an extension that a scheduler of another make may have taken is left to it', async () => {
    const id = await createVolume();
    await store.volumes.updateIf(id, {}, { status: 'extending', previousStatus: 'available' });
    const record = {
      id: crypto.randomUUID(),
      resourceType: 'volume',
      resourceId: id,
      method: 'extend_volume',
    } as const;
    const who = { requestId: 'req-3', userId: null, projectId: PROJECT, owner: 'cinder-scheduler' };
    await store.operations.record({ ...record, arguments: { newSizeGb: 9 }, ...who });
    const other = { host: 'other', binary: 'cinder-scheduler', rpc: '3.12', objects: '1.39' };
    await addForeignService(database.knex, other);
    assert.equal(await scheduler.sweep(), 0);
    await database.knex('services').where({ host: 'other' }).delete();
    assert.equal(await scheduler.sweep(), 1);
    await eventually('the volume to have grown', async () =>
      (await store.volumes.get(id))?.sizeGb === 9 ? true : undefined,
    );
    await ended(id);
  });

  test('nothing that was sent was not understood', () => assert.deepEqual(peer.faults, []));

  test('what cannot be sent to a service without a record of it fails at once, and says so', async () => {
    const operations = createOperationRpc({
      transport: { ...transport, cast: () => Promise.reject(new Error('the broker is away')) },
      store,
      log,
    });
    const id = await createVolume();
    const volume = await store.volumes.updateIf(id, {}, { status: 'deleting' });
    const record = {
      id: crypto.randomUUID(),
      resourceType: 'volume',
      resourceId: id,
      method: 'delete_volume',
    } as const;
    const who = { requestId: 'req-2', userId: null, projectId: volume!.projectId, owner: HOST };
    await store.operations.record({ ...record, arguments: { force: false, cascade: false }, ...who });
    await operations.wake((await store.operations.get(record.id))!, context);
    const ended = await store.operations.get(record.id);
    assert.deepEqual([ended?.state, ended?.error], ['failed', 'the broker is away']);
    assert.equal((await store.volumes.get(id))?.status, 'error_deleting');
  });
});
