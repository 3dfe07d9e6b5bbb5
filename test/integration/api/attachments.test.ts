import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { failure } from '../../../src/model/errors.ts';
import { type Fixture, openFixture } from './fixture.ts';

const connector = {
  initiator: 'iqn.1993-08.org.debian:01:1111',
  host: 'computenode',
  ip: '127.0.0.1',
  multipath: false,
};

describe('attachments', () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());

  const create = (volumeId: string, more: object = {}) =>
    fixture.api.call('POST', '/attachments', { attachment: { volume_uuid: volumeId, ...more } });
  const statusOf = async (volumeId: string) => {
    const volume = await fixture.store.volumes.get(volumeId);
    return `${volume?.status}, ${volume?.attachStatus}`;
  };

  it('go from reserved to attached to gone, and the volume with them', async () => {
    const volume = await fixture.addVolume();
    const instance = randomUUID();
    const created = await create(volume.id, { instance_uuid: instance, mode: 'ro' });
    assert.equal(created.status, 200);
    const { id } = created.body.attachment;
    assert.deepEqual(created.body.attachment, {
      id,
      status: 'reserved',
      instance,
      volume_id: volume.id,
      attached_at: '',
      detached_at: '',
      attach_mode: 'ro',
      connection_info: {},
    });
    assert.equal(await statusOf(volume.id), 'reserved, detached');

    const connected = await fixture.api.call('PUT', `/attachments/${id}`, { attachment: { connector } });
    assert.equal(connected.status, 200);
    assert.equal(connected.body.attachment.status, 'attaching');
    assert.equal(connected.body.attachment.connection_info.driver_volume_type, 'iscsi');
    assert.equal(connected.body.attachment.connection_info.attachment_id, id);
    assert.equal(await statusOf(volume.id), 'attaching, attaching');

    for (const _ of [1, 2]) {
      const completed = await fixture.api.call('POST', `/attachments/${id}/action`, { 'os-complete': null });
      assert.deepEqual(completed, { status: 204, body: undefined });
    }
    assert.equal(await statusOf(volume.id), 'in-use, attached');
    const shown = await fixture.api.call('GET', `/attachments/${id}`);
    assert.equal(shown.body.attachment.status, 'attached');
    assert.match(shown.body.attachment.attached_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);

    const deleted = await fixture.api.call('DELETE', `/attachments/${id}`);
    assert.deepEqual(deleted, { status: 200, body: { attachments: [] } });
    assert.equal(await statusOf(volume.id), 'available, detached');
    assert.equal((await fixture.api.call('GET', `/attachments/${id}`)).status, 404);
    assert.equal((await fixture.api.call('DELETE', `/attachments/${id}`)).status, 404);
  });

  it('are connected at once where the connector is given', async () => {
    const volume = await fixture.addVolume();
    const created = await create(volume.id, { connector });
    assert.equal(created.status, 200);
    assert.equal(created.body.attachment.status, 'attaching');
    assert.equal(created.body.attachment.connection_info.auth_password, 'p');
    const [operation] = await fixture.store.operations.history(created.body.attachment.id, 5);
    assert.equal(operation?.method, 'attachment_update');
    assert.equal(operation?.state, 'done');
    assert.equal(operation?.owner, 'node@fake');
    assert.equal(fixture.api.log.text().includes('auth_password'), false);
  });

  it('of one volume, fifty at once: exactly one wins', async () => {
    const volume = await fixture.addVolume();
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => create(volume.id, { instance_uuid: randomUUID() })),
    );
    const statuses = replies.map(({ status }) => status).toSorted();
    assert.deepEqual(statuses, [200, ...Array.from({ length: 49 }, () => 400)]);
    assert.equal((await fixture.store.attachments.listByVolume(volume.id)).length, 1);
    for (const { status, body } of replies) {
      if (status === 400) assert.match(body.badRequest.message, /is reserved; to reserve it must be available/);
    }
  });

  it('of a multiattach volume, many at once, leave it as its attachments say', async () => {
    const volume = await fixture.addVolume({ multiattach: true });
    const replies = await Promise.all(Array.from({ length: 10 }, () => create(volume.id, { connector })));
    assert.deepEqual(
      replies.map(({ status }) => status),
      Array.from({ length: 10 }, () => 200),
    );
    const ids: string[] = replies.map(({ body }) => body.attachment.id);
    await Promise.all(ids.map((id) => fixture.api.call('POST', `/attachments/${id}/action`, { 'os-complete': null })));
    assert.equal(await statusOf(volume.id), 'in-use, attached');
    const added = await create(volume.id);
    assert.equal(added.status, 200);
    assert.equal(await statusOf(volume.id), 'in-use, attached', 'a reservation does not hide that it is in use');
    const all = [...ids, added.body.attachment.id as string];
    const gone = await Promise.all(all.map((id) => fixture.api.call('DELETE', `/attachments/${id}`)));
    assert.deepEqual(
      gone.map(({ status }) => status),
      all.map(() => 200),
    );
    assert.equal(await statusOf(volume.id), 'available, detached');
  });

  it('that end and begin at once leave the status that the last of them saw', async () => {
    for (let round = 0; round < 5; round += 1) {
      const volume = await fixture.addVolume({ multiattach: true });
      const created = await Promise.all(Array.from({ length: 6 }, () => create(volume.id, { connector })));
      const ids: string[] = created.map(({ body }) => body.attachment.id);
      const replies = await Promise.all(
        ids.map((id, at) =>
          at % 2 === 0
            ? fixture.api.call('DELETE', `/attachments/${id}`)
            : fixture.api.call('POST', `/attachments/${id}/action`, { 'os-complete': null }),
        ),
      );
      assert.deepEqual(
        replies.map(({ status }) => status),
        [200, 204, 200, 204, 200, 204],
      );
      assert.equal(await statusOf(volume.id), 'in-use, attached', `round ${round}`);
    }
  });

  it('that are given up all at once leave the volume free', async () => {
    for (let round = 0; round < 5; round += 1) {
      const volume = await fixture.addVolume({ multiattach: true });
      const created = await Promise.all(Array.from({ length: 6 }, () => create(volume.id)));
      const ids: string[] = created.map(({ body }) => body.attachment.id);
      await Promise.all(ids.map((id) => fixture.api.call('DELETE', `/attachments/${id}`)));
      assert.equal(await statusOf(volume.id), 'available, detached', `round ${round}`);
    }
  });

  it('of the same instance may overlap, as when it moves to another host', async () => {
    const volume = await fixture.addVolume();
    const instance = randomUUID();
    const first = await create(volume.id, { instance_uuid: instance, connector });
    await fixture.api.call('POST', `/attachments/${first.body.attachment.id}/action`, { 'os-complete': null });
    const second = await create(volume.id, { instance_uuid: instance });
    assert.equal(second.status, 200);
    assert.equal((await create(volume.id, { instance_uuid: randomUUID() })).status, 400);
    const deleted = await fixture.api.call('DELETE', `/attachments/${first.body.attachment.id}`);
    assert.deepEqual(deleted.body.attachments, [
      { id: second.body.attachment.id, status: 'reserved', instance, volume_id: volume.id },
    ]);
    assert.equal(await statusOf(volume.id), 'reserved, detached');
  });

  it('of a volume in a wrong status are refused with the status found', async () => {
    for (const status of ['creating', 'error', 'in-use', 'deleting', 'maintenance'] as const) {
      const volume = await fixture.addVolume({ status });
      const { status: code, body } = await create(volume.id);
      assert.equal(code, 400, status);
      assert.match(body.badRequest.message, new RegExp(`${volume.id} is ${status};`));
      assert.equal((await fixture.store.volumes.get(volume.id))?.status, status);
    }
  });

  it('leave nothing behind when the backend fails at creating them', async () => {
    const volume = await fixture.addVolume();
    fixture.standIn.failNext(failure('ExportFailure', { id: volume.id, reason: 'the target is gone' }));
    const failed = await create(volume.id, { connector });
    assert.equal(failed.status, 500);
    assert.match(failed.body.computeFault.message, /the target is gone/);
    assert.equal(await statusOf(volume.id), 'available, detached');
    const lacking = await create(volume.id, { connector: { host: 'computenode' } });
    assert.equal(lacking.status, 400);
    assert.match(lacking.body.badRequest.message, /initiator/);
    assert.equal(await statusOf(volume.id), 'available, detached');
    assert.equal((await create(volume.id, { connector })).status, 200);
  });

  it('can be connected again after the backend failed, and not with another connector once connected', async () => {
    const volume = await fixture.addVolume();
    const { id } = (await create(volume.id)).body.attachment;
    const connect = (more: object = {}) =>
      fixture.api.call('PUT', `/attachments/${id}`, { attachment: { connector: { ...connector, ...more } } });
    fixture.standIn.failNext(failure('ExportFailure', { id: volume.id, reason: 'busy' }));
    assert.equal((await connect()).status, 500);
    assert.equal((await fixture.api.call('GET', `/attachments/${id}`)).body.attachment.status, 'error_attaching');
    assert.equal((await connect()).status, 200);
    const before = fixture.standIn.performed.length;
    assert.equal((await connect()).status, 200, 'the same again answers the same');
    assert.equal(fixture.standIn.performed.length, before, 'without new work');
    const other = await connect({ initiator: 'iqn.1993-08.org.debian:01:2222' });
    assert.equal(other.status, 400);
    assert.match(other.body.badRequest.message, /another connector/);
  });

  it('whose connection is still waited for are deleted by the backend, not behind its back', async () => {
    const volume = await fixture.addVolume();
    const { id } = (await create(volume.id)).body.attachment;
    const silence = failure('RpcTimeout', { method: 'attachment_update', topic: 'node@fake', seconds: 60 });
    fixture.standIn.setSilent(silence);
    assert.equal((await fixture.api.call('PUT', `/attachments/${id}`, { attachment: { connector } })).status, 502);
    assert.equal((await fixture.api.call('DELETE', `/attachments/${id}`)).status, 502);
    const queued = await fixture.store.operations.history(id, 5);
    assert.deepEqual(
      queued.map(({ method, state }) => `${method} ${state}`),
      ['attachment_delete queued', 'attachment_update queued'],
    );
    fixture.standIn.setSilent(null);
    assert.equal((await fixture.api.call('DELETE', `/attachments/${id}`)).status, 200);
    assert.equal(
      (await fixture.store.operations.history(id, 5)).length,
      2,
      'the second request waits for the first one',
    );
    assert.equal(await statusOf(volume.id), 'available, detached');
  });

  it('are listed with filters and pages', async () => {
    const project = 'listing';
    const volumes = await Promise.all([1, 2, 3].map(() => fixture.addVolume({ projectId: project })));
    for (const { id } of volumes) {
      await fixture.api.call('POST', '/attachments', { attachment: { volume_uuid: id } }, { project });
    }
    const list = async (query: string, path = '/attachments') =>
      (await fixture.api.call('GET', `${path}${query}`, undefined, { project })).body.attachments;
    assert.equal((await list('')).length, 3);
    assert.deepEqual(Object.keys((await list(''))[0]), ['id', 'status', 'instance', 'volume_id']);
    assert.deepEqual((await list('', '/attachments/detail'))[0].connection_info, {});
    assert.equal((await list(`?volume_id=${volumes[0]!.id}`))[0].volume_id, volumes[0]!.id);
    assert.equal((await list('?status=attached')).length, 0);
    assert.equal((await list('?attach_status=reserved')).length, 3);
    const first = await list('?limit=2&sort=created_at:asc');
    const second = await list(`?limit=2&sort=created_at:asc&marker=${first[1].id}`);
    assert.deepEqual(
      [...first, ...second].map(({ volume_id: id }) => id),
      volumes.map(({ id }) => id),
    );
    assert.equal((await list('?all_tenants=1')).length > 3, true);
    const wrong = [
      ['?limit=x', 400],
      ['?marker=nothing', 404],
      ['?sort=shape', 400],
    ] as const;
    for (const [query, status] of wrong) {
      const answer = await fixture.api.call('GET', `/attachments${query}`, undefined, { project });
      assert.equal(answer.status, status, query);
    }
  });

  it("are nobody else's business", async () => {
    const volume = await fixture.addVolume({ projectId: 'theirs' });
    const member = { token: 'member' } as const;
    const mine = await fixture.api.call('POST', '/attachments', { attachment: { volume_uuid: volume.id } }, member);
    assert.equal(mine.status, 404);
    const { id } = (await create(volume.id)).body.attachment;
    assert.equal((await fixture.api.call('GET', `/attachments/${id}`, undefined, member)).status, 404);
    assert.equal((await fixture.api.call('DELETE', `/attachments/${id}`, undefined, member)).status, 404);
    const strict = await fixture.api.call('GET', '/attachments?shape=round', undefined, member);
    assert.equal(strict.status, 400);
  });

  it('need the versions that have them', async () => {
    const volume = await fixture.addVolume();
    const body = { attachment: { volume_uuid: volume.id } };
    assert.equal((await fixture.api.call('POST', '/attachments', body, { version: '3.26' })).status, 404);
    const early = { attachment: { volume_uuid: volume.id, mode: 'ro' } };
    assert.equal((await fixture.api.call('POST', '/attachments', early, { version: '3.53' })).status, 400);
    const { id } = (await fixture.api.call('POST', '/attachments', body, { version: '3.27' })).body.attachment;
    const complete = { 'os-complete': {} };
    assert.equal(
      (await fixture.api.call('POST', `/attachments/${id}/action`, complete, { version: '3.43' })).status,
      404,
    );
    assert.equal(
      (await fixture.api.call('POST', `/attachments/${id}/action`, complete, { version: '3.44' })).status,
      204,
    );
  });

  it('refuse bad bodies with a sentence', async () => {
    const bad = [
      {},
      { attachment: {} },
      { attachment: { volume_uuid: 'x' } },
      { attachment: { volume_uuid: randomUUID(), connector: 'iqn' } },
      { attachment: { volume_uuid: randomUUID(), mode: 'rx' } },
      { attachment: { volume_uuid: randomUUID(), colour: 'red' } },
    ];
    for (const body of bad) {
      const reply = await fixture.api.call('POST', '/attachments', body);
      assert.equal(reply.status, 400, JSON.stringify(body));
      assert.match(reply.body.badRequest.message, /attachment/);
    }
    assert.equal((await create(randomUUID())).status, 404);
  });
});
