/** Our API, and then our scheduler too, in front of the real cinder-volume, on its database and its broker. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Database, openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { createSchedulerRpc, createVolumeRpc } from '../../src/rpc/clients.ts';
import { openTransport } from '../../src/rpc/create-transport.ts';
import { createInquiryRpc } from '../../src/rpc/inquiry.ts';
import { type RabbitOptions, rabbitOptions } from '../../src/rpc/options.ts';
import type { Transport } from '../../src/rpc/transport.ts';
import { type SchedulerOptions, schedulerOptions } from '../../src/scheduler/options.ts';
import { type SchedulerService, startSchedulerService } from '../../src/scheduler/service.ts';
import { createOperationRpc } from '../../src/service/peers/operation-rpc.ts';
import { settlePeerOperations } from '../../src/service/peers/settlement.ts';
import { type CinderPeer, missingCinder, startCinderPeer } from '../support/cinder-peer.ts';
import { eventually } from '../support/node-process.ts';
import { recorderLog } from '../support/recorder-log.ts';
import { openTestApi, PROJECT, type TestApi } from '../support/test-api.ts';
import { defaultsOf } from '../support/volume-bed.ts';

const HOST = 'node@fake';
const connector = { host: 'compute', initiator: 'iqn.1993-08.org.debian:01:abc', ip: '127.0.0.1', multipath: false };

describe('the real cinder-volume behind our API', { skip: missingCinder() ?? false, timeout: 400_000 }, () => {
  let peer: CinderPeer;
  let database: Database;
  let store: Store;
  let transport: Transport;
  let api: TestApi;
  const log = recorderLog();

  before(async () => {
    peer = await startCinderPeer({ host: 'node' });
    database = openDatabase({ connection: peer.connection, maxPoolSize: 4 });
    await dbSync(database);
    store = createStore(database);
    const rabbit = defaultsOf(rabbitOptions) as unknown as RabbitOptions;
    const options = { controlExchange: 'openstack', concurrency: 64, rabbit };
    transport = await openTransport({ url: peer.transportUrl, options, log });
    const timeoutMs = 30_000;
    api = openTestApi({
      store,
      operations: createOperationRpc({ transport, store, log }),
      scheduler: createSchedulerRpc(transport, { timeoutMs }),
      volume: createVolumeRpc(transport, { timeoutMs }),
      inquiry: createInquiryRpc(transport),
    });
  });

  after(async () => {
    await api?.close();
    await transport?.close();
    await store?.close();
    await peer?.close();
  });

  const ended = (id: string) =>
    eventually(
      'the record to end',
      async () => {
        await settlePeerOperations(store, log);
        const [newest] = await store.operations.history(id, 1);
        return newest?.finishedAt === null ? undefined : newest;
      },
      60_000,
    );

  async function createVolume(body: object = { size: 1 }): Promise<string> {
    const { status, body: answer } = await api.call('POST', '/volumes', { volume: body });
    assert.equal(status, 202, JSON.stringify(answer));
    await ended(answer.volume.id);
    return answer.volume.id;
  }

  const show = async (id: string) => (await api.call('GET', `/volumes/${id}`)).body.volume;
  /** As Cinder's own API shows it. */
  const theirs = async (path: string) => {
    const headers = { 'x-auth-token': `admin:${PROJECT}`, 'openstack-api-version': 'volume 3.70' };
    const response = await fetch(`${peer.root}/v3/${PROJECT}${path}`, { headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  async function wholeLife(): Promise<void> {
    const id = await createVolume();
    const made = await show(id);
    assert.equal(made.status, 'available', `${await peer.log('cinder-scheduler')}${await peer.log('cinder-volume')}`);
    assert.equal(made['os-vol-host-attr:host'].startsWith('node@fake#'), true);
    assert.equal((await theirs(`/volumes/${id}`)).status, 200);

    await api.call('POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 2 } });
    assert.equal((await ended(id)).state, 'done', await peer.log('cinder-volume'));
    assert.equal((await show(id)).size, 2);

    const { body: snapshot } = await api.call('POST', '/snapshots', { snapshot: { volume_id: id } });
    assert.equal((await ended(snapshot.snapshot.id)).state, 'done', await peer.log('cinder-volume'));
    const copy = await createVolume({ size: 2, snapshot_id: snapshot.snapshot.id });
    assert.equal((await show(copy)).status, 'available', await peer.log('cinder-volume'));
    const clone = await createVolume({ size: 2, source_volid: id });
    assert.equal((await show(clone)).status, 'available', await peer.log('cinder-volume'));
    await api.call('DELETE', `/snapshots/${snapshot.snapshot.id}`);
    assert.equal((await ended(snapshot.snapshot.id)).state, 'done');
    for (const each of [id, copy, clone]) {
      assert.equal((await api.call('DELETE', `/volumes/${each}`)).status, 202);
      assert.equal((await ended(each)).state, 'done', await peer.log('cinder-volume'));
      assert.equal((await api.call('GET', `/volumes/${each}`)).status, 404);
    }
  }

  async function connections(): Promise<void> {
    const id = await createVolume();
    const created = await api.call('POST', '/attachments', { attachment: { volume_uuid: id, connector } });
    assert.equal(created.status, 200, JSON.stringify(created.body) + (await peer.log('cinder-volume')));
    const { attachment } = created.body;
    assert.equal(attachment.connection_info.driver_volume_type, 'iscsi');
    assert.equal(attachment.connection_info.attachment_id, attachment.id);
    assert.equal((await api.call('POST', `/attachments/${attachment.id}/action`, { 'os-complete': {} })).status, 204);
    assert.equal((await show(id)).status, 'in-use');
    const removed = await api.call('DELETE', `/attachments/${attachment.id}`);
    assert.equal(removed.status, 200, JSON.stringify(removed.body) + (await peer.log('cinder-volume')));
    assert.equal((await show(id)).status, 'available');

    const act = (body: object) => api.call('POST', `/volumes/${id}/action`, body);
    await act({ 'os-reserve': {} });
    const { body } = await act({ 'os-initialize_connection': { connector } });
    assert.equal(body.connection_info?.data.target_lun, 1, JSON.stringify(body));
    const attached = await act({ 'os-attach': { instance_uuid: id, mountpoint: '/dev/vdb', mode: 'rw' } });
    assert.equal(attached.status, 202, JSON.stringify(attached.body));
    assert.equal((await show(id)).status, 'in-use');
    await act({ 'os-begin_detaching': {} });
    assert.equal((await act({ 'os-terminate_connection': { connector } })).status, 202);
    assert.equal((await act({ 'os-detach': {} })).status, 202);
    assert.equal((await show(id)).status, 'available');
    await api.call('DELETE', `/volumes/${id}`);
    assert.equal((await ended(id)).state, 'done');
  }

  async function failures(): Promise<void> {
    const broken = await createVolume({ size: 1, name: 'fails' });
    assert.equal((await show(broken)).status, 'error');
    const messages = (await api.call('GET', '/messages')).body.messages as { readonly resource_uuid: string }[];
    assert.equal(messages.filter(({ resource_uuid }) => resource_uuid === broken).length, 1);
    // Its scheduler took the place away again, so there is nobody to ask.
    await api.call('DELETE', `/volumes/${broken}`);
    assert.equal((await api.call('GET', `/volumes/${broken}`)).status, 404);
    const stays = await createVolume({ size: 1, name: 'stays' });
    await api.call('DELETE', `/volumes/${stays}`);
    assert.equal((await ended(stays)).state, 'failed');
    assert.equal((await show(stays)).status, 'error_deleting');
  }

  /** What Cinder's own API believes of the quota, once our refresh went over it. */
  async function quota(): Promise<void> {
    const figures = (set: Readonly<Record<string, { in_use: number; reserved: number }>>) =>
      ['volumes', 'gigabytes', 'snapshots'].map((resource) => [set[resource]?.in_use, set[resource]?.reserved]);
    // Its volume service closes a reservation a moment after the row is gone; until then the counter is its own.
    await eventually('the counters to agree', async () => {
      await store.quotas.refreshPeerUsages({ noSnapshotGb: false });
      const ours = figures((await api.call('GET', `/os-quota-sets/${PROJECT}?usage=true`)).body.quota_set);
      const { body } = await theirs(`/os-quota-sets/${PROJECT}?usage=true`);
      const wanted = JSON.stringify(ours);
      return JSON.stringify(figures(body.quota_set as Parameters<typeof figures>[0])) === wanted ? true : undefined;
    });
  }

  async function administration(): Promise<void> {
    const pools = (await api.call('GET', '/scheduler-stats/get_pools?detail=true')).body.pools;
    assert.equal(pools.length, 1, JSON.stringify(pools));
    const { services } = (await api.call('GET', '/os-services')).body;
    assert.equal(services.find(({ host }: { host: string }) => host === HOST)?.state, 'up');
    assert.equal((await api.call('PUT', '/os-services/freeze', { host: HOST })).status, 200);
    assert.equal((await store.services.get(HOST, 'cinder-volume'))?.frozen, true);
    assert.equal((await api.call('PUT', '/os-services/thaw', { host: HOST })).status, 200);
    const rpc = createVolumeRpc(transport, { timeoutMs: 30_000 });
    const who = { requestId: 'req-1', userId: 'admin', projectId: PROJECT, isAdmin: true, roles: ['admin'] };
    assert.equal((await rpc.getCapabilities(who, HOST)).vendor_name, 'Ashlar');
  }

  describe('with its own scheduler', () => {
    test('a volume and its snapshots', wholeLife);
    test('connections of both kinds', connections);
    test('what fails', failures);
    test('its quota is right', quota);
    test('pools, services, freezing', administration);
  });

  describe('with our scheduler', () => {
    let scheduler: SchedulerService | undefined;
    before(async () => {
      await peer.end('cinder-scheduler');
      scheduler = await startSchedulerService({
        ...{ store, transport, log, host: 'ours', availabilityZone: 'nova', reportIntervalMs: 10_000 },
        options: defaultsOf(schedulerOptions) as unknown as SchedulerOptions,
        enableNewServices: true,
      });
      await eventually('a report of its volume service', async () => {
        const { body } = await api.call('GET', '/scheduler-stats/get_pools');
        return body.pools?.length > 0 ? true : undefined;
      });
    });
    after(() => scheduler?.stop({ timeoutMs: 5000 }));
    test('a volume and its snapshots', wholeLife);
    test('connections of both kinds', connections);
    test('what fails', failures);
    test('its quota is right', quota);
    test('pools, services, freezing', administration);
  });

  test('no password stands in a log or in a record', async () => {
    const text = log.text();
    const volumes = await database.knex('volumes').select('provider_auth');
    for (const { provider_auth } of volumes)
      if (provider_auth !== null) assert.equal(text.includes(provider_auth), false);
    const secret = await database.knex('ashlar_operations').whereRaw("result::text like '%auth_password%'");
    assert.deepEqual(secret, []);
  });
});
