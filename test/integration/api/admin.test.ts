import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { failure } from '../../../src/model/errors.ts';
import { PROJECT } from '../../support/test-api.ts';
import { BACKEND, type Fixture, openFixture } from './fixture.ts';

const member = { token: 'member' } as const;

describe('what administrators see', () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await openFixture();
    const row = {
      topic: 'cinder-volume',
      availabilityZone: 'nova',
      rpcCurrentVersion: '3.18',
      objectCurrentVersion: '1.39',
    };
    await fixture.store.services.register({ ...row, host: BACKEND, binary: 'cinder-volume', disabledOnCreate: false });
    const scheduler = { ...row, topic: 'cinder-scheduler', host: 'node', binary: 'cinder-scheduler' };
    await fixture.store.services.register({ ...scheduler, disabledOnCreate: false });
    fixture.pools = () => [
      {
        name: `${BACKEND}#pool0`,
        capabilities: { backend_state: 'up', free_capacity_gb: 7, storage_protocol: ['iSCSI', 'iscsi'] },
      },
      { name: `${BACKEND}#pool1`, capabilities: { backend_state: 'up' } },
    ];
  });
  after(() => fixture.close());

  const get = async (path: string, as = {}) => (await fixture.api.call('GET', path, undefined, as)).body;
  const change = (name: string, body: object, as = {}) => fixture.api.call('PUT', `/os-services/${name}`, body, as);
  const services = async (query = '') => (await get(`/os-services${query}`)).services;

  it('services, and whether they are up', async () => {
    const listed = await services();
    assert.deepEqual(
      listed.map(({ binary, host, state, status }: Record<string, string>) => [binary, host, state, status]),
      [
        ['cinder-volume', BACKEND, 'up', 'enabled'],
        ['cinder-scheduler', 'node', 'up', 'enabled'],
      ],
    );
    assert.equal(listed[0].backend_state, 'up');
    assert.equal((await services('?binary=cinder-scheduler')).length, 1);
    assert.equal((await services('?host=nowhere')).length, 0);
    assert.equal((await services('?host=node')).length, 2, 'a node and its backends');
    assert.equal((await services(`?host=${BACKEND}`)).length, 1);
    assert.equal((await fixture.api.call('GET', '/os-services', undefined, member)).status, 403);
  });

  it('services even while the scheduler does not answer', async () => {
    const { pools } = fixture;
    fixture.pools = () => {
      throw failure('RpcTimeout', { method: 'get_pools', topic: 'cinder-scheduler', seconds: 60 });
    };
    try {
      assert.equal((await services())[0].backend_state, null);
      assert.equal((await fixture.api.call('GET', '/scheduler-stats/get_pools')).status, 502);
    } finally {
      fixture.pools = pools;
    }
  });

  it('and take services out of use', async () => {
    const named = { host: BACKEND, binary: 'cinder-volume' };
    assert.deepEqual((await change('disable-log-reason', { ...named, disabled_reason: 'new disks' })).body, {
      ...named,
      service: '',
      status: 'disabled',
      disabled: true,
      disabled_reason: 'new disks',
    });
    assert.equal((await services())[0].disabled_reason, 'new disks');
    assert.deepEqual((await get('/os-availability-zone')).availabilityZoneInfo, [
      { zoneName: 'nova', zoneState: { available: false } },
    ]);
    assert.deepEqual((await change('enable', named)).body, {
      ...named,
      service: '',
      status: 'enabled',
      disabled: false,
    });
    assert.equal((await services())[0].disabled_reason, null);
    assert.equal((await change('disable', { host: BACKEND, service: 'cinder-volume' })).status, 200);
    assert.equal((await change('enable', named)).status, 200);
    assert.equal((await change('disable', { ...named, host: 'nowhere' })).status, 404);
    assert.equal((await change('disable', named, member)).status, 403);
    const bad = [{ host: BACKEND }, { binary: 'x' }, { ...named, colour: 'red' }, { ...named, disabled_reason: 'x' }];
    for (const body of bad) assert.equal((await change('disable', body)).status, 400, JSON.stringify(body));
  });

  it('and freeze and thaw backends', async () => {
    assert.deepEqual(await change('freeze', { host: BACKEND }), { status: 200, body: undefined });
    assert.equal((await services())[0].frozen, true);
    assert.equal((await services())[0].status, 'disabled');
    assert.equal((await change('thaw', { host: BACKEND })).status, 200);
    assert.equal((await services())[0].frozen, false);
    assert.deepEqual(fixture.asked, [`freeze ${BACKEND}`, `thaw ${BACKEND}`]);
    assert.equal((await change('freeze', { host: 'nowhere' })).status, 400);
  });

  it('but not what is not there', async () => {
    assert.equal((await change('failover_host', { host: BACKEND })).status, 400);
    assert.equal((await change('get-log', {}, { version: '3.31' })).status, 400);
    assert.equal((await change('constructor', {})).status, 400);
  });

  it('pools, with and without details, by name', async () => {
    assert.deepEqual(await get('/scheduler-stats/get_pools'), {
      pools: [{ name: `${BACKEND}#pool0` }, { name: `${BACKEND}#pool1` }],
    });
    const detailed = await get('/scheduler-stats/get_pools?detail=True');
    assert.equal(detailed.pools[0].capabilities.free_capacity_gb, 7);
    assert.equal(detailed.pools[0].capabilities.storage_protocol, 'iSCSI');
    const named = `/scheduler-stats/get_pools?name=${encodeURIComponent(`${BACKEND}#pool1`)}`;
    assert.deepEqual(await get(named), { pools: [{ name: `${BACKEND}#pool1` }] });
    assert.equal((await get(named, { version: '3.27' })).pools.length, 2, 'no filters before 3.28');
    const strict = await fixture.api.call('GET', '/scheduler-stats/get_pools?shape=round');
    assert.equal(strict.status, 400);
    assert.equal((await get(`/capabilities/${BACKEND}`)).namespace, `OS::Storage::Capabilities::${BACKEND}`);
    assert.equal((await fixture.api.call('GET', '/capabilities/nowhere')).status, 404);
  });

  it('hosts and what they hold', async () => {
    const project = 'holding';
    const { id } = await fixture.addVolume({ projectId: project, sizeGb: 3 });
    const snapshot = { volumeId: id, volumeSizeGb: 3, volumeTypeId: fixture.type.id, status: 'available' } as const;
    await fixture.store.snapshots.insert({ id: randomUUID(), projectId: project, ...snapshot });
    const { hosts } = await get('/os-hosts');
    assert.deepEqual(
      hosts.map((host: Record<string, string>) => [host.host_name, host['service-status']]),
      [
        [BACKEND, 'available'],
        ['node', 'available'],
      ],
    );
    const { host: resources } = await get(`/os-hosts/${BACKEND}`);
    assert.equal(resources[0].resource.project, '(total)');
    const held = resources.find(({ resource }: { resource: { project: string } }) => resource.project === project);
    assert.deepEqual(held.resource, {
      host: BACKEND,
      project,
      volume_count: '1',
      total_volume_gb: '3',
      snapshot_count: '1',
      total_snapshot_gb: '3',
    });
    assert.equal((await fixture.api.call('GET', '/os-hosts/nowhere')).status, 404);
  });

  it('limits and quotas, and set them', async () => {
    const project = 'counting';
    await fixture.addVolume({ projectId: project, sizeGb: 3 });
    const { limits } = await get('/limits', { project });
    assert.equal(limits.absolute.totalVolumesUsed, 1);
    assert.equal(limits.absolute.totalGigabytesUsed, 3);
    assert.equal(limits.absolute.maxTotalVolumes, 10);
    assert.deepEqual(limits.rate, []);
    assert.equal((await get(`/limits?project_id=${project}`)).limits.absolute.totalVolumesUsed, 1);
    assert.equal((await get(`/limits?project_id=${project}`, member)).limits.absolute.totalVolumesUsed === 1, false);

    const path = `/os-quota-sets/${project}`;
    const usage = (await get(`${path}?usage=True`)).quota_set;
    assert.deepEqual(usage.gigabytes, { limit: 1000, in_use: 3, reserved: 0 });
    assert.deepEqual(usage.volumes___DEFAULT__, { limit: -1, in_use: 1, reserved: 0 });
    assert.equal(usage.id, project);
    const set = (quotaSet: object) => fixture.api.call('PUT', path, { quota_set: quotaSet });
    const changed = await set({ volumes: 20, gigabytes: '5', tenant_id: project });
    assert.equal(changed.status, 200);
    assert.equal(changed.body.quota_set.gigabytes, 5);
    const shown = (await get(path)).quota_set;
    assert.deepEqual([shown.volumes, shown.gigabytes, shown.snapshots], [20, 5, 10]);
    assert.equal((await get(`${path}/defaults`)).quota_set.volumes, 10);
    assert.equal((await get('/os-quota-class-sets/default')).quota_class_set.volumes, 10);
    for (const bad of [
      {},
      { volumes: -2 },
      { volumes: 1.5 },
      { volumes: 'x' },
      { volumes: 2 ** 31 },
      { mountains: 1 },
      { gigabytes: 2 },
    ]) {
      assert.equal((await set(bad)).status, 400, JSON.stringify(bad));
    }
    assert.equal((await fixture.api.call('PUT', path, { quota_set: { volumes: 1 } }, member)).status, 403);
    assert.equal((await fixture.api.call('DELETE', path, undefined, member)).status, 403);
    assert.equal((await get(path)).quota_set.volumes, 20);
    assert.deepEqual(await fixture.api.call('DELETE', path), { status: 200, body: undefined });
    assert.equal((await get(path)).quota_set.volumes, 10);
    assert.equal((await fixture.api.call('GET', path, undefined, member)).status, 403);
    assert.equal((await fixture.api.call('GET', `/os-quota-sets/${PROJECT}`, undefined, member)).status, 200);
  });

  it('messages of what failed', async () => {
    const project = 'failing';
    const volume = await fixture.addVolume({ projectId: project });
    const other = await fixture.addVolume({ projectId: project });
    for (const { id } of [volume, other]) {
      fixture.standIn.failNext(failure('ExportFailure', { id, reason: 'the target is gone' }));
      const attach = { 'os-attach': { host_name: 'h', mountpoint: '/dev/vdb' } };
      assert.equal((await fixture.api.call('POST', `/volumes/${id}/action`, attach, { project })).status, 500);
    }
    const list = async (query = '') => (await get(`/messages${query}`, { project, ...member })).messages;
    const messages = await list();
    assert.deepEqual(
      messages.map((message: Record<string, string>) => message.resource_uuid),
      [other.id, volume.id],
    );
    assert.match(messages[0].user_message, /^attach volume: Export of .* failed: the target is gone$/);
    assert.equal(messages[0].event_id, 'VOLUME_VOLUME_002_021');
    assert.deepEqual(await list(`?resource_uuid=${volume.id}`), [messages[1]]);
    assert.deepEqual(await list(`?limit=1&marker=${messages[0].id}`), [messages[1]]);
    assert.deepEqual(await list('?sort=created_at:asc'), messages.toReversed());
    assert.deepEqual((await get(`/messages/${messages[0].id}`, { project, ...member })).message.id, messages[0].id);
    const others = await fixture.api.call('GET', `/messages/${messages[0].id}`, undefined, {
      ...member,
      project: 'others',
    });
    assert.equal(others.status, 404);
    assert.equal((await fixture.api.call('DELETE', `/messages/${messages[0].id}`)).status, 405);
    assert.equal((await fixture.api.call('GET', '/messages', undefined, { version: '3.2' })).status, 404);
  });

  it('what is served, and what may be filtered by', async () => {
    const { extensions } = await get('/extensions');
    assert.ok(extensions.some(({ alias }: { alias: string }) => alias === 'os-services'));
    assert.equal((await get('/extensions/os-services')).extension.name, 'Services');
    assert.equal((await fixture.api.call('GET', '/extensions/nothing')).status, 404);
    const { resource_filters: filters } = await get('/resource_filters?resource=attachment');
    assert.deepEqual(
      filters.map(({ resource }: { resource: string }) => resource),
      ['attachment'],
    );
    assert.ok((await get('/resource_filters')).resource_filters.length > 4);
    for (const path of ['/qos-specs', '/clusters/detail', '/default-types', '/groups', '/backups/detail']) {
      assert.deepEqual(Object.values(await get(path)), [[]], path);
    }
  });
});
