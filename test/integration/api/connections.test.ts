import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { fakeTarget } from '../../../drivers/target/fake.ts';
import { fakeDriver } from '../../../drivers/volume/fake.ts';
import type { Options } from '../../../src/config/options.ts';
import type { Store } from '../../../src/db/store.ts';
import { createLocalExecutor } from '../../../src/exec/executor.ts';
import { createVolumeRpc } from '../../../src/rpc/clients.ts';
import { createMemoryTransport } from '../../../src/rpc/memory.ts';
import type { OperationRpc } from '../../../src/rpcapi/operations.ts';
import { createOperationRpc } from '../../../src/service/peers/operation-rpc.ts';
import { startVolumeService, type VolumeService } from '../../../src/volume/service.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { openTestApi, PROJECT, type TestApi } from '../../support/test-api.ts';

const BACKEND = 'node@fake';
const connector = { initiator: 'iqn.1993-08.org.debian:01:1111', host: 'computenode', ip: '127.0.0.1' };

/** The API with a real volume service behind it, so that both mean the same by their operations. */
describe('connections, with a volume service', () => {
  let postgres: TestPostgres;
  let store: Store;
  let service: VolumeService;
  let api: TestApi;
  let rpc: OperationRpc;
  const log = recorderLog();
  const transport = createMemoryTransport();

  before(async () => {
    postgres = await startTestPostgres();
    store = await postgres.freshStore();
    rpc = createOperationRpc({ transport, store, log });
    const executor = createLocalExecutor({ log, privileged: 'root' });
    const open = { backend: 'fake', executor, log };
    service = await startVolumeService({
      store,
      transport,
      driver: fakeDriver.open({ ...open, options: defaultsOf(fakeDriver.options) }),
      target: fakeTarget.open({
        ...open,
        options: { ...defaultsOf(fakeTarget.options), target_ip_address: '127.0.0.1' },
      }),
      serviceHost: BACKEND,
      backendName: 'fake',
      volumeBackendName: 'fake',
      availabilityZone: 'nova',
      reservedPercentage: 0,
      maxOverSubscriptionRatio: 1,
      volumeNameTemplate: 'volume-%s',
      snapshotNameTemplate: '_snapshot-%s',
      reportIntervalMs: 10_000,
      statsIntervalMs: 60_000,
      enableNewServices: true,
      concurrency: 8,
      maxAttempts: 3,
      maxRetryPauseMs: 1000,
      log,
    });
    assert.equal((await service.firstState).kind, 'up');
    api = openTestApi({
      store,
      operations: rpc,
      scheduler: { getPools: async () => [] },
      volume: createVolumeRpc(transport, { timeoutMs: 10_000 }),
    });
  });
  after(async () => {
    await api.close();
    await service.stop({ timeoutMs: 10_000 });
    await store.close();
    await postgres.stop();
  });

  async function makeVolume(multiattach = false): Promise<string> {
    const type = (await store.types.getByName('__DEFAULT__'))!;
    const id = randomUUID();
    const row = { id, sizeGb: 1, volumeTypeId: type.id, status: 'creating', multiattach, projectId: PROJECT } as const;
    await store.volumes.insert({ ...row, host: `${BACKEND}#fake` });
    const work = { resourceType: 'volume', resourceId: id, method: 'create_volume', owner: BACKEND } as const;
    const source = { source: { kind: 'blank' }, pinnedHost: null, availabilityZone: null, excludedHosts: [] };
    const context = { requestId: 'req-1', userId: 'admin', projectId: PROJECT, isAdmin: true, roles: [] };
    await store.operations.record({ id, ...work, ...context, arguments: source });
    await rpc.perform((await store.operations.get(id))!, context, { timeoutMs: 30_000 });
    return id;
  }
  const create = (volumeId: string, more: object = {}) =>
    api.call('POST', '/attachments', { attachment: { volume_uuid: volumeId, ...more } });
  const act = (id: string, name: string, body: unknown = null) =>
    api.call('POST', `/volumes/${id}/action`, { [name]: body });
  const look = async (id: string) => {
    const { status, attachStatus, providerLocation } = (await store.volumes.get(id))!;
    return `${status}, ${attachStatus}, ${providerLocation === null ? 'not exported' : 'exported'}`;
  };

  it('are made, completed and ended by attachments', async () => {
    const volume = await makeVolume();
    const created = await create(volume, { connector });
    assert.equal(created.status, 200, JSON.stringify(created.body));
    const { id, connection_info: info, status } = created.body.attachment;
    assert.equal(status, 'attaching');
    assert.equal(info.driver_volume_type, 'iscsi');
    assert.equal(info.attachment_id, id);
    assert.equal(info.auth_method, 'CHAP');
    assert.equal(await look(volume), 'attaching, attaching, exported');
    const again = await api.call('PUT', `/attachments/${id}`, { attachment: { connector } });
    assert.deepEqual(again.body.attachment.connection_info, info);
    await api.call('POST', `/attachments/${id}/action`, { 'os-complete': null });
    assert.equal(await look(volume), 'in-use, attached, exported');
    assert.deepEqual(await api.call('DELETE', `/attachments/${id}`), { status: 200, body: { attachments: [] } });
    assert.equal(await look(volume), 'available, detached, not exported');
    assert.equal(log.text().includes(info.auth_password), false, 'the password is in no log');
  });

  it('leave no attachment where the connector lacks what the target needs', async () => {
    const volume = await makeVolume();
    const lacking = await create(volume, { connector: { host: 'computenode' } });
    assert.equal(lacking.status, 400, JSON.stringify(lacking.body));
    assert.match(lacking.body.badRequest.message, /initiator/);
    assert.equal(await look(volume), 'available, detached, not exported');
    const { id } = (await create(volume)).body.attachment;
    const connect = (with_: object) => api.call('PUT', `/attachments/${id}`, { attachment: { connector: with_ } });
    assert.equal((await connect({ host: 'computenode' })).status, 400);
    assert.equal((await connect(connector)).status, 200, 'a mended connector is taken');
    assert.equal((await api.call('DELETE', `/attachments/${id}`)).status, 200);
    assert.equal(await look(volume), 'available, detached, not exported');
  });

  it('are made and ended by the older calls', async () => {
    const volume = await makeVolume();
    assert.equal((await act(volume, 'os-reserve')).status, 202);
    const connected = await act(volume, 'os-initialize_connection', { connector });
    assert.equal(connected.status, 200, JSON.stringify(connected.body));
    assert.equal(connected.body.connection_info.driver_volume_type, 'iscsi');
    assert.equal(typeof connected.body.connection_info.data.target_iqn, 'string');
    assert.equal((await act(volume, 'os-attach', { host_name: 'computenode', mountpoint: '/dev/vdb' })).status, 202);
    assert.equal(await look(volume), 'in-use, attached, exported');
    assert.equal((await act(volume, 'os-begin_detaching')).status, 202);
    assert.equal((await act(volume, 'os-terminate_connection', { connector })).status, 202);
    assert.equal((await act(volume, 'os-detach')).status, 202);
    assert.equal(await look(volume), 'available, detached, not exported');
  });

  it('of a shared volume may begin and end at once', async () => {
    const volume = await makeVolume(true);
    const initiators = Array.from({ length: 6 }, (_, at) => ({
      ...connector,
      initiator: `${connector.initiator}${at}`,
    }));
    const created = await Promise.all(initiators.map((initiator) => create(volume, { connector: initiator })));
    assert.deepEqual(
      created.map(({ status }) => status),
      initiators.map(() => 200),
    );
    const ids: string[] = created.map(({ body }) => body.attachment.id);
    await Promise.all(ids.map((id) => api.call('POST', `/attachments/${id}/action`, { 'os-complete': null })));
    assert.equal(await look(volume), 'in-use, attached, exported');
    const ended = await Promise.all(ids.map((id) => api.call('DELETE', `/attachments/${id}`)));
    assert.deepEqual(
      ended.map(({ status }) => status),
      ids.map(() => 200),
    );
    assert.equal(await look(volume), 'available, detached, not exported');
  });

  it('reach the backend to ask what it can do, to freeze and to thaw it', async () => {
    const { status, body } = await api.call('GET', `/capabilities/${BACKEND}`);
    assert.equal(status, 200);
    assert.equal(body.volume_backend_name, 'fake');
    assert.equal((await api.call('PUT', '/os-services/freeze', { host: BACKEND })).status, 200);
    assert.equal((await store.services.get(BACKEND, 'cinder-volume'))?.frozen, true);
    assert.equal((await api.call('PUT', '/os-services/thaw', { host: BACKEND })).status, 200);
    assert.equal((await store.services.get(BACKEND, 'cinder-volume'))?.frozen, false);
  });
});

function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, { default: value }]) => [name, value]));
}
