/** Our volume service as the only backend of a real cinder-api and cinder-scheduler, on their database and their broker. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type BesideCinder,
  CAPACITY_GB,
  missingBeside,
  PROJECT,
  type Reply,
  SERVICE_HOST,
  startBesideCinder,
  until,
} from '../support/beside-cinder.ts';
import { type IscsiLogin, loginOf, readPattern, tryLogin, writePattern } from '../support/initiator.ts';
import { OsloError, startOsloPeer } from '../support/oslo-peer.ts';

const POOL = `${SERVICE_HOST}#fake`;
const GIB = 1024 ** 3;
const initiator = 'iqn.1993-08.org.debian:01:abc';
const connector = { host: 'compute', initiator, ip: '127.0.0.1', multipath: false };

describe('our volume service behind the real cinder-api', { skip: missingBeside() ?? false, timeout: 600_000 }, () => {
  let bed: BesideCinder;
  before(async () => {
    bed = await startBesideCinder();
  });
  after(() => bed?.close());

  async function call(status: number, method: string, path: string, body?: unknown): Promise<Reply['body']> {
    const reply = await bed.call(method, path, body);
    const why = async () => `${method} ${path}: ${JSON.stringify(reply.body)}\n${await bed.logs()}`;
    assert.equal(reply.status, status, reply.status === status ? '' : await why());
    return reply.body;
  }
  const act = (status: number, id: string, action: object) => call(status, 'POST', `/volumes/${id}/action`, action);
  const show = async (id: string, what = 'volume') => (await bed.call('GET', `/${what}s/${id}`)).body[what];
  const settled = (id: string, what = 'volume') =>
    until(bed, `${what} ${id} to settle`, async () => {
      const row = await show(id, what);
      return /ing$/.test(row?.status ?? 'missing') ? undefined : row;
    });
  const gone = (id: string, what = 'volume') =>
    until(bed, `${what} ${id} to go`, async () =>
      (await bed.call('GET', `/${what}s/${id}`)).status === 404 ? true : undefined,
    );
  /** With the status that it has come to. */
  async function create(body: object, wanted = 'available') {
    const { volume } = await call(202, 'POST', '/volumes', { volume: { size: 1, ...body } });
    const row = await settled(volume.id);
    assert.equal(row.status, wanted, row.status === wanted ? '' : await bed.logs());
    return row;
  }
  async function snapshotOf(id: string) {
    const { snapshot } = await call(202, 'POST', '/snapshots', { snapshot: { volume_id: id, force: true } });
    const row = await settled(snapshot.id, 'snapshot');
    assert.equal(row.status, 'available', row.status === 'available' ? '' : await bed.logs());
    return row;
  }
  async function remove(id: string, what = 'volume') {
    await call(202, 'DELETE', `/${what}s/${id}`);
    await gone(id, what);
  }
  async function attach(id: string): Promise<{ readonly id: string; readonly login: IscsiLogin }> {
    const body = { attachment: { volume_uuid: id, connector } };
    const { attachment } = await call(200, 'POST', '/attachments', body);
    return { id: attachment.id, login: loginOf(attachment.connection_info) };
  }
  const detach = (id: string) => call(200, 'DELETE', `/attachments/${id}`);
  const usage = async () => {
    const { quota_set: set } = await call(200, 'GET', `/os-quota-sets/${PROJECT}?usage=true`);
    const of = (resource: string) => [set[resource].in_use, set[resource].reserved];
    return { volumes: of('volumes'), gigabytes: of('gigabytes'), snapshots: of('snapshots') };
  };
  /** Cinder's counters, right after, are what its rows add up to, and nothing stays reserved. */
  async function quotaAgrees(): Promise<void> {
    const { volumes } = await call(200, 'GET', '/volumes/detail');
    const { snapshots } = await call(200, 'GET', '/snapshots/detail');
    const sizes = [...volumes, ...snapshots].reduce((sum: number, { size }: { size: number }) => sum + size, 0);
    const wanted = { volumes: [volumes.length, 0], gigabytes: [sizes, 0], snapshots: [snapshots.length, 0] };
    // The scheduler of a create, and the API of a delete, close their reservation a moment after the row.
    await until(bed, `the quota to be ${JSON.stringify(wanted)}`, async () =>
      JSON.stringify(await usage()) === JSON.stringify(wanted) ? true : undefined,
    );
  }
  const userMessages = async (id: string) =>
    (await call(200, 'GET', '/messages')).messages.filter(
      ({ resource_uuid }: { resource_uuid: string }) => resource_uuid === id,
    );

  test('only tables of our own were added, and cinder-manage knows its schema', async () => {
    const isOurs = (line: string) => line.startsWith('ashlar_');
    assert.ok(bed.schemaBefore.length > 500 && !bed.schemaBefore.some(isOurs));
    const now = await bed.schema();
    assert.deepEqual(
      now.filter((line) => !isOurs(line)),
      bed.schemaBefore,
    );
    assert.ok(now.some(isOurs));
    assert.match(await bed.peer.manage('db', 'version'), /[0-9a-f]{12}/);
  });

  test('is listed, up, with its pool and its capabilities', async () => {
    const { services } = await call(200, 'GET', '/os-services');
    const ours = services.find(({ host }: { host: string }) => host === SERVICE_HOST);
    assert.deepEqual(
      [ours.binary, ours.state, ours.status, ours.backend_state],
      ['cinder-volume', 'up', 'enabled', 'up'],
    );
    assert.match(await bed.peer.manage('service', 'list'), /cinder-volume\s+node@fake\s+nova\s+enabled\s+:-\)/);
    const { pools } = await call(200, 'GET', '/scheduler-stats/get_pools?detail=true');
    assert.deepEqual(
      pools.map(({ name }: { name: string }) => name),
      [POOL],
    );
    const { capabilities } = pools[0];
    assert.equal(capabilities.total_capacity_gb, CAPACITY_GB);
    assert.equal(capabilities.volume_backend_name, 'fake');
    const told = await call(200, 'GET', `/capabilities/${SERVICE_HOST}`);
    assert.equal(told.vendor_name, 'Ashlar');
    assert.equal(told.storage_protocol, 'iSCSI');
  });

  test('the bytes of a volume, of its snapshot, of copies and of a larger self', async () => {
    const volume = await create({ name: 'data', metadata: { key: 'value' } });
    assert.equal(volume['os-vol-host-attr:host'], POOL);
    assert.deepEqual(volume.metadata, { key: 'value' });
    const first = await attach(volume.id);
    assert.equal((await show(first.id, 'attachment')).status, 'attaching');
    await call(204, 'POST', `/attachments/${first.id}/action`, { 'os-complete': {} });
    assert.equal((await show(volume.id)).status, 'in-use');
    assert.equal(await writePattern(first.login, 0x5a), 'ok');
    const snapshot = await snapshotOf(volume.id);
    assert.equal(await writePattern(first.login, 0xa5), 'ok');
    await detach(first.id);
    assert.equal((await show(volume.id)).status, 'available');
    assert.equal(await tryLogin(first.login), 'refused');

    const old = await create({ snapshot_id: snapshot.id, size: 2 });
    const clone = await create({ source_volid: volume.id });
    await act(202, volume.id, { 'os-extend': { new_size: 3 } });
    const larger = await settled(volume.id);
    assert.deepEqual([larger.status, larger.size], ['available', 3]);
    for (const [id, byte, size] of [
      [old.id, 0x5a, 2],
      [clone.id, 0xa5, 1],
      [volume.id, 0xa5, 3],
    ] as const) {
      const { id: attachment, login } = await attach(id);
      assert.equal(await readPattern(login, byte), 'ok');
      assert.equal(await writePattern(login, 1, size * GIB - 65_536), 'ok');
      await detach(attachment);
    }
    await quotaAgrees();
    await remove(snapshot.id, 'snapshot');
    for (const { id } of [volume, old, clone]) await remove(id);
    await quotaAgrees();
  });

  test('attachments: reserved first, then connected; twice; deleted while used', async () => {
    const volume = await create({});
    const body = { attachment: { volume_uuid: volume.id } };
    const { attachment } = await call(200, 'POST', '/attachments', body);
    assert.equal((await show(volume.id)).status, 'reserved');
    const updated = await call(200, 'PUT', `/attachments/${attachment.id}`, { attachment: { connector } });
    const login = loginOf(updated.attachment.connection_info);
    assert.equal(await writePattern(login, 7), 'ok');
    await call(204, 'POST', `/attachments/${attachment.id}/action`, { 'os-complete': {} });
    assert.equal((await bed.call('DELETE', `/volumes/${volume.id}`)).status, 400);
    assert.equal((await show(volume.id)).status, 'in-use');
    const online = await bed.call('POST', `/volumes/${volume.id}/action`, { 'os-extend': { new_size: 2 } });
    assert.equal(online.status, 202);
    assert.deepEqual([(await settled(volume.id)).status, (await show(volume.id)).size], ['in-use', 2]);
    await detach(attachment.id);
    assert.equal((await bed.call('GET', `/attachments/${attachment.id}`)).status, 404);
    assert.equal((await show(volume.id)).status, 'available');
    await remove(volume.id);
  });

  test('the older way to connect', async () => {
    const { id } = await create({});
    await act(202, id, { 'os-reserve': {} });
    const { connection_info: info } = await act(200, id, { 'os-initialize_connection': { connector } });
    assert.equal(info.driver_volume_type, 'iscsi');
    assert.equal(await writePattern(loginOf(info.data), 9), 'ok');
    await act(202, id, { 'os-attach': { instance_uuid: randomUUID(), mountpoint: '/dev/vdb', mode: 'rw' } });
    const attached = await show(id);
    assert.deepEqual([attached.status, attached.attachments[0].device], ['in-use', '/dev/vdb']);
    await act(202, id, { 'os-begin_detaching': {} });
    await act(202, id, { 'os-terminate_connection': { connector } });
    await act(202, id, { 'os-detach': { attachment_id: attached.attachments[0].attachment_id } });
    assert.equal((await show(id)).status, 'available');
    assert.deepEqual((await show(id)).attachments, []);
    assert.equal(await tryLogin(loginOf(info.data)), 'refused');
    await remove(id);
  });

  test('retype in place; one that would move the volume leaves it as it was', async () => {
    const type = async (name: string, specs: object) => {
      const made = { volume_type: { name, extra_specs: specs } };
      return (await call(200, 'POST', '/types', made)).volume_type;
    };
    await type('same', { volume_backend_name: 'fake' });
    await type('elsewhere', { volume_backend_name: 'another' });
    const { id } = await create({});
    await act(202, id, { 'os-retype': { new_type: 'same', migration_policy: 'never' } });
    const retyped = await settled(id);
    assert.deepEqual([retyped.status, retyped.volume_type], ['available', 'same']);
    await act(202, id, { 'os-retype': { new_type: 'elsewhere', migration_policy: 'on-demand' } });
    const stays = await settled(id);
    assert.deepEqual([stays.status, stays.volume_type], ['available', 'same']);
    await quotaAgrees();
    const lost = await create({ volume_type: 'elsewhere' }, 'error');
    assert.equal(lost['os-vol-host-attr:host'], null);
    await remove(lost.id);
    await remove(id);
    await quotaAgrees();
  });

  test('reset-state, transfer, freezing, log levels', async () => {
    const { id } = await create({});
    await act(202, id, { 'os-reset_status': { status: 'error', attach_status: 'detached' } });
    assert.equal((await show(id)).status, 'error');
    await act(202, id, { 'os-reset_status': { status: 'available' } });
    const stuck = await create({});
    await act(202, stuck.id, { 'os-reset_status': { status: 'creating' } });
    await act(202, stuck.id, { 'os-force_delete': {} });
    await gone(stuck.id);
    const { transfer } = await call(202, 'POST', '/volume-transfers', { transfer: { volume_id: id, name: 't' } });
    const accept = { accept: { auth_key: transfer.auth_key } };
    const project = 'fedcba9876543210fedcba9876543210';
    const accepted = await bed.call('POST', `/volume-transfers/${transfer.id}/accept`, accept, { project });
    assert.equal(accepted.status, 202, JSON.stringify(accepted.body));
    assert.equal((await bed.call('GET', `/volumes/${id}`, undefined, { project })).body.volume.status, 'available');
    assert.equal((await bed.call('DELETE', `/volumes/${id}`, undefined, { project })).status, 202);
    await gone(id);

    await call(200, 'PUT', '/os-services/freeze', { host: SERVICE_HOST });
    assert.equal((await bed.store.services.get(SERVICE_HOST, 'cinder-volume'))?.frozen, true);
    await call(200, 'PUT', '/os-services/thaw', { host: SERVICE_HOST });
    const levels = { binary: 'cinder-volume', server: SERVICE_HOST, prefix: '' };
    await call(202, 'PUT', '/os-services/set-log', { ...levels, level: 'debug' });
    await call(200, 'PUT', '/os-services/get-log', levels);
  });

  test('no space, a snapshot whose bytes are lost, what we do not serve', async () => {
    const { id } = await create({});
    // It takes the space, and the scheduler has not been told.
    const stranger = join(bed.filesDir, 'volumes', `volume-${randomUUID()}`);
    await writeFile(stranger, '');
    await truncate(stranger, (CAPACITY_GB - 2) * GIB);
    const full = await create({ size: 5 }, 'error');
    await rm(stranger);
    assert.ok((await userMessages(full.id)).length > 0, await bed.logs());
    const snapshot = await snapshotOf(id);
    await rm(join(bed.filesDir, 'snapshots', `snapshot-${snapshot.id}`));
    const bad = await create({ snapshot_id: snapshot.id }, 'error');
    await act(202, id, { revert: { snapshot_id: snapshot.id } });
    assert.equal((await settled(id)).status, 'available');
    assert.equal((await settled(snapshot.id, 'snapshot')).status, 'available');
    assert.ok((await userMessages(id)).length > 0, await bed.logs());
    await quotaAgrees();
    for (const each of [full, bad]) await remove(each.id);
    await call(202, 'DELETE', `/volumes/${id}?cascade=true`);
    await gone(id);
    await quotaAgrees();
  });

  test('many at once: every one is made, once', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => create({})));
    assert.equal(new Set(made.map(({ id }) => id)).size, 8);
    await quotaAgrees();
    await Promise.all(made.map(({ id }) => remove(id)));
    await quotaAgrees();
    assert.deepEqual(await usage(), { volumes: [0, 0], gigabytes: [0, 0], snapshots: [0, 0] });
  });

  test('a plain oslo.messaging client is answered, and raises what it knows', async () => {
    const oslo = await startOsloPeer(bed.peer.transportUrl);
    try {
      const target = { topic: `cinder-volume.${SERVICE_HOST}`, server: 'node', version: '3.0' };
      const run = (method: string, args: object = {}, version = '3.0') =>
        oslo.run({ do: 'call', ...target, version, method, args, context: { is_admin: true, roles: ['admin'] } });
      const raised = async (...request: Parameters<typeof run>) => {
        const answer = await run(...request).catch((error: unknown) => error);
        assert.ok(answer instanceof OsloError, JSON.stringify(answer));
        return answer.raised;
      };
      assert.equal(
        ((await run('get_capabilities', { discover: true })) as { vendor_name: string }).vendor_name,
        'Ashlar',
      );
      assert.equal(await run('freeze_host'), true);
      assert.equal(await run('thaw_host'), true);
      await oslo.run({
        do: 'cast',
        topic: 'cinder-volume',
        fanout: true,
        version: '3.0',
        method: 'publish_service_capabilities',
      });
      const id = randomUUID();
      const notFound = await raised('terminate_connection', { volume_id: id, connector });
      assert.deepEqual([notFound.module, notFound.bases[0]], ['cinder.exception_Remote', 'VolumeNotFound_Remote']);
      assert.ok(notFound.bases.includes('NotFound'));
      assert.equal(notFound.kwargs?.volume_id, id);
      const served = await raised('initialize_connection_snapshot', { snapshot_id: id, connector }, '3.13');
      assert.ok(served.bases.includes('NotImplementedError'), JSON.stringify(served));
      const arguments_ = await raised('get_capabilities', { discover: true, more: 1 });
      assert.ok(arguments_.bases.includes('TypeError'), JSON.stringify(arguments_));
      assert.ok((await raised('terminate_connection')).bases.includes('TypeError'));
      const method = await raised('no_such_thing');
      assert.match(`${method.class} ${method.message}`, /^RemoteError .*NoSuchMethod/);
      const version = await raised('get_capabilities', { discover: true }, '4.0');
      assert.match(`${version.class} ${version.message}`, /^RemoteError .*UnsupportedVersion/);
      const newer = await raised('get_capabilities', { discover: true }, '3.99');
      assert.match(`${newer.class} ${newer.message}`, /^RemoteError .*UnsupportedVersion/);
    } finally {
      await oslo.close();
    }
  });

  test('cinder-manage lists it, and its scheduler has not choked on anything', async () => {
    assert.match(await bed.peer.manage('host', 'list'), /node@fake\s+nova/);
    assert.doesNotMatch(await bed.peer.log('cinder-scheduler'), /ERROR oslo_messaging/);
    const log = await bed.ourLog();
    assert.doesNotMatch(log, /"level":"error"/);
    const passwords = await bed.store.volumes.list({ projectId: null, filters: {} });
    for (const { providerAuth } of passwords)
      if (providerAuth !== null) assert.equal(log.includes(providerAuth), false);
  });
});
