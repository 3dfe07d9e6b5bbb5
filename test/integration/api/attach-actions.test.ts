import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { failure } from '../../../src/model/errors.ts';
import { type Fixture, openFixture } from './fixture.ts';

const connector = { initiator: 'iqn.1993-08.org.debian:01:1111', host: 'computenode' };

describe('the older attach actions', () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());

  const act = (id: string, name: string, body: unknown = null, token: 'admin' | 'member' = 'admin') =>
    fixture.api.call('POST', `/volumes/${id}/action`, { [name]: body }, { token });
  const statusOf = async (id: string) => (await fixture.store.volumes.get(id))?.status;

  it('attach and detach as an old compute service does', async () => {
    const { id } = await fixture.addVolume();
    const instance = randomUUID();
    assert.equal((await act(id, 'os-reserve')).status, 202);
    assert.equal(await statusOf(id), 'attaching');
    const connected = await act(id, 'os-initialize_connection', { connector });
    assert.equal(connected.status, 200);
    assert.equal(connected.body.connection_info.driver_volume_type, 'iscsi');
    assert.equal(connected.body.connection_info.data.volume_id, id);
    const attach = { instance_uuid: instance, mountpoint: '/dev/vdb', mode: 'rw' };
    assert.deepEqual(await act(id, 'os-attach', attach), { status: 202, body: undefined });
    assert.equal(await statusOf(id), 'in-use');
    const [attachment] = await fixture.store.attachments.listByVolume(id);
    assert.equal(attachment?.instanceId, instance);
    assert.equal(attachment?.mountpoint, '/dev/vdb');
    const shown = async () => (await fixture.api.call('GET', `/volumes/${id}`)).body.volume.metadata;
    assert.deepEqual(await shown(), { readonly: 'False', attached_mode: 'rw' });

    assert.equal((await act(id, 'os-attach', attach)).status, 202, 'the same consumer again');
    assert.equal((await fixture.store.attachments.listByVolume(id)).length, 1);
    const other = await act(id, 'os-attach', { ...attach, instance_uuid: randomUUID() });
    assert.equal(other.status, 400);
    assert.match(other.body.badRequest.message, /is in-use/);

    assert.equal((await act(id, 'os-begin_detaching')).status, 202);
    assert.equal(await statusOf(id), 'detaching');
    assert.equal((await act(id, 'os-terminate_connection', { connector })).status, 202);
    assert.equal((await act(id, 'os-detach', { attachment_id: attachment!.id })).status, 202);
    assert.equal(await statusOf(id), 'available');
    assert.deepEqual(await shown(), { readonly: 'False' });
    assert.equal((await act(id, 'os-detach', null)).status, 202, 'what nobody has is detached');
  });

  it('take their beginnings back', async () => {
    const { id } = await fixture.addVolume();
    await act(id, 'os-reserve');
    assert.equal((await act(id, 'os-unreserve')).status, 202);
    assert.equal(await statusOf(id), 'available');
    assert.equal((await act(id, 'os-unreserve')).status, 202);
    await act(id, 'os-attach', { host_name: 'computenode', mountpoint: '/dev/vdb' });
    await act(id, 'os-begin_detaching');
    assert.equal((await act(id, 'os-roll_detaching')).status, 202);
    assert.equal(await statusOf(id), 'in-use');
  });

  it('refuse with the status found', async () => {
    const { id } = await fixture.addVolume({ status: 'error' });
    const calls = [
      ['os-reserve', null],
      ['os-begin_detaching', null],
      ['os-attach', { host_name: 'h', mountpoint: '/dev/vdb' }],
      ['os-initialize_connection', { connector }],
    ] as const;
    for (const [name, body] of calls) {
      const reply = await act(id, name, body);
      assert.equal(reply.status, 400, name);
      assert.match(reply.body.badRequest.message, /error/, name);
    }
    assert.equal(await statusOf(id), 'error');
    for (const [name, body] of calls) assert.equal((await act(randomUUID(), name, body)).status, 404, name);
  });

  it('reserve one volume fifty times at once: exactly one wins', async () => {
    const { id } = await fixture.addVolume();
    const replies = await Promise.all(Array.from({ length: 50 }, () => act(id, 'os-reserve')));
    assert.equal(replies.filter(({ status }) => status === 202).length, 1);
    assert.equal(replies.filter(({ status }) => status === 400).length, 49);
  });

  it('leave a shared volume in use while somebody has it', async () => {
    const { id } = await fixture.addVolume({ multiattach: true });
    for (const host of ['a', 'b']) {
      assert.equal((await act(id, 'os-reserve')).status, 202, host);
      assert.equal((await act(id, 'os-attach', { host_name: host, mountpoint: '/dev/vdb' })).status, 202, host);
    }
    assert.equal((await act(id, 'os-reserve')).status, 202);
    await act(id, 'os-unreserve');
    assert.equal(await statusOf(id), 'in-use');
    const unnamed = await act(id, 'os-detach', {});
    assert.equal(unnamed.status, 400);
    assert.match(unnamed.body.badRequest.message, /several attachments/);
    const [first] = await fixture.store.attachments.listByVolume(id);
    assert.equal((await act(id, 'os-detach', { attachment_id: first!.id })).status, 202);
    assert.equal(await statusOf(id), 'in-use');
    assert.equal((await act(id, 'os-detach', { attachment_id: first!.id })).status, 400, 'it is no longer there');
  });

  it('hand on what the backend says', async () => {
    const { id } = await fixture.addVolume();
    const lacking = await act(id, 'os-initialize_connection', { connector: { host: 'computenode' } });
    assert.equal(lacking.status, 400);
    assert.match(lacking.body.badRequest.message, /initiator/);
    fixture.standIn.failNext(failure('VolumeBackendAPIException', { reason: 'the target is gone' }));
    const failed = await act(id, 'os-terminate_connection', { connector });
    assert.equal(failed.status, 500);
    assert.match(failed.body.computeFault.message, /the target is gone/);
  });

  it('detach by force for administrators', async () => {
    const { id } = await fixture.addVolume();
    await act(id, 'os-attach', { host_name: 'computenode', mountpoint: '/dev/vdb' });
    const refused = await act(id, 'os-force_detach', { connector: null }, 'member');
    assert.equal(refused.status, 403);
    const before = fixture.standIn.performed.length;
    assert.equal((await act(id, 'os-force_detach', { connector })).status, 202);
    assert.deepEqual(fixture.standIn.performed.slice(before), ['terminate_connection', 'detach_volume']);
    assert.equal(await statusOf(id), 'available');
  });

  it('keep a read-only volume read-only', async () => {
    const { id } = await fixture.addVolume();
    await fixture.store.volumes.setAdminMetadata(id, { readonly: 'True' });
    const attach = { host_name: 'computenode', mountpoint: '/dev/vdb' };
    assert.equal((await act(id, 'os-attach', attach)).status, 400);
    assert.equal((await act(id, 'os-attach', { ...attach, mode: 'ro' })).status, 202);
  });

  it('refuse bad bodies', async () => {
    const { id } = await fixture.addVolume();
    const bad = [
      ['os-attach', { mountpoint: '/dev/vdb' }],
      ['os-attach', { host_name: 'h', mountpoint: '' }],
      ['os-attach', { host_name: 'h', mountpoint: '/dev/vdb', mode: 'rx' }],
      ['os-attach', { host_name: 'h'.repeat(256), mountpoint: '/dev/vdb' }],
      ['os-detach', { attachment_id: 'x' }],
      ['os-initialize_connection', {}],
      ['os-initialize_connection', { connector: 7 }],
      ['os-terminate_connection', {}],
    ] as const;
    for (const [name, body] of bad) {
      const reply = await act(id, name, body);
      assert.equal(reply.status, 400, `${name} ${JSON.stringify(body)}`);
      assert.match(reply.body.badRequest.message, new RegExp(name));
    }
  });
});
