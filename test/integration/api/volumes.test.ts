import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { BACKEND, type Bed, openBed, type Project } from './bed.ts';

let bed: Bed;
let project: Project;
before(async () => {
  bed = await openBed();
});
after(() => bed.close());
beforeEach(() => {
  bed.working = true;
  project = bed.project();
});

const act = (id: string, action: object, version = '3.70') =>
  project.call('POST', `/volumes/${id}/action`, action, { version });
const messageOf = (reply: { readonly body: object }) =>
  Object.values<{ message: string }>(reply.body as never)[0]!.message;
const statusOf = async (id: string) => (await bed.store.volumes.get(id))?.status ?? 'gone';

describe('lists of volumes', () => {
  it('come in pages that join without a gap', async () => {
    const ids: string[] = [];
    for (const name of ['c', 'a', 'd', 'b', 'a']) ids.push(await project.volume({ name }));
    const seen: string[] = [];
    let path: string | undefined = '/volumes/detail?sort=name:asc,created_at:asc&limit=2';
    while (path !== undefined) {
      const reply = await project.call('GET', path);
      assert.ok(reply.body.volumes.length <= 2);
      seen.push(...reply.body.volumes.map(({ id }: { id: string }) => id));
      const href: string | undefined = reply.body.volumes_links?.[0].href;
      path = href?.slice(href.indexOf('/volumes'));
    }
    assert.deepEqual(seen, [ids[1], ids[4], ids[3], ids[0], ids[2]]);
  });

  it('are the newest first, and never more than osapi_max_limit', async () => {
    const ids = [await project.volume(), await project.volume()];
    const list = async (query: string) =>
      (await project.call('GET', `/volumes${query}`)).body.volumes.map(({ id }: { id: string }) => id);
    assert.deepEqual(await list(''), ids.toReversed());
    assert.deepEqual(await list('?limit=0'), []);
    assert.deepEqual(await list('?offset=1'), [ids[0]]);
    assert.deepEqual(await list(`?marker=${ids[1]}`), [ids[0]]);
    for (const query of ['limit=-1', 'limit=x', 'offset=-1', 'sort=colour', 'sort=name:up', 'nmae=x']) {
      assert.equal((await project.call('GET', `/volumes?${query}`)).status, 400, query);
    }
    assert.equal((await project.call('GET', `/volumes?marker=${randomUUID()}`)).status, 404);
  });

  it('can be narrowed', async () => {
    const one = await project.volume({ name: 'alpha', metadata: { tier: 'gold' }, size: 2 });
    const two = await project.volume({ name: 'alphabet' });
    await bed.store.volumes.updateIf(two, {}, { status: 'error', bootable: true });
    const list = async (query: string) =>
      (await project.call('GET', `/volumes?${query}`)).body.volumes.map(({ id }: { id: string }) => id).sort();
    assert.deepEqual(await list('name=alpha'), [one]);
    assert.deepEqual(await list('name~=lphab'), [two]);
    assert.deepEqual(await list('status=error'), [two]);
    assert.deepEqual(await list('bootable=true'), [two]);
    assert.deepEqual(await list('size=2'), [one]);
    assert.deepEqual(await list(`metadata=${encodeURIComponent("{'tier': 'gold'}")}`), [one]);
    assert.deepEqual(await list('availability_zone=mars'), []);
    assert.deepEqual(await list('created_at=gt:2020-01-01T00:00:00'), [one, two].sort());
    assert.deepEqual(await list('created_at=lt:2020-01-01T00:00:00'), []);
    assert.deepEqual(await list('group_id=x'), []);
    assert.equal((await project.call('GET', '/volumes?name~=lphab&with_count=true')).body.count, 1);
    const before = await project.call('GET', '/volumes?with_count=true', undefined, { version: '3.44' });
    assert.equal('count' in before.body, false);
  });

  it("show other projects' volumes to administrators who ask", async () => {
    const mine = await project.volume();
    const others = await bed.project().volume();
    const ids = async (query: string, token: 'admin' | 'member' = 'admin') => {
      const reply = await project.call('GET', `/volumes?limit=1000&${query}`, undefined, { token });
      return reply.body.volumes.map(({ id }: { id: string }) => id);
    };
    assert.deepEqual(await ids(''), [mine]);
    assert.ok((await ids('all_tenants=1')).includes(others));
    assert.deepEqual(await ids(`all_tenants=1&project_id=${project.id}`), [mine]);
    assert.deepEqual(await ids('all_tenants=1', 'member'), [mine]);
    const asMember = await project.call('GET', `/volumes/${others}`, undefined, { token: 'member' });
    assert.equal(asMember.status, 404);
    assert.equal((await project.call('GET', `/volumes/${others}`)).status, 200);
  });

  it('have a summary, with metadata since 3.36', async () => {
    await project.volume({ size: 2, metadata: { tier: 'gold' } });
    await project.volume({ metadata: { tier: 'tin', a: 'b' } });
    const summary = async (version: string) =>
      (await project.call('GET', '/volumes/summary', undefined, { version })).body['volume-summary'];
    assert.deepEqual(await summary('3.12'), { total_count: 2, total_size: 3 });
    const { metadata } = await summary('3.36');
    assert.deepEqual({ ...metadata, tier: metadata.tier.toSorted() }, { tier: ['gold', 'tin'], a: ['b'] });
  });
});

describe('changing a volume', () => {
  it('sets name, description and metadata', async () => {
    const id = await project.volume({ name: 'a', metadata: { k: 'v' } });
    const reply = await project.call('PUT', `/volumes/${id}`, { volume: { name: 'b', metadata: { x: 'y' } } });
    assert.deepEqual([reply.status, reply.body.volume.name, reply.body.volume.metadata], [200, 'b', { x: 'y' }]);
    const cleared = await project.call('PUT', `/volumes/${id}`, { volume: { name: null } });
    assert.equal(cleared.body.volume.name, null);
    assert.equal((await project.call('PUT', `/volumes/${id}`, { volume: { size: 3 } })).status, 400);
    assert.equal((await project.call('PUT', `/volumes/${id}`, { volume: {} })).status, 400);
    assert.equal((await project.call('PUT', `/volumes/${id}`, { volume: {} }, { version: '3.52' })).status, 200);
    assert.equal((await project.call('PUT', `/volumes/${randomUUID()}`, { volume: { name: 'b' } })).status, 404);
  });

  it('sets the bootable and readonly flags', async () => {
    const id = await project.volume();
    assert.equal((await act(id, { 'os-set_bootable': { bootable: 'true' } })).status, 200);
    assert.equal((await act(id, { 'os-update_readonly_flag': { readonly: true } })).status, 202);
    const { volume } = (await project.call('GET', `/volumes/${id}`)).body;
    assert.deepEqual([volume.bootable, volume.metadata], ['true', { readonly: 'True' }]);
    await bed.store.volumes.updateIf(id, {}, { status: 'in-use' });
    assert.equal((await act(id, { 'os-update_readonly_flag': { readonly: false } })).status, 400);
  });

  it('resets a status for administrators', async () => {
    const id = await project.volume();
    assert.equal((await act(id, { 'os-reset_status': { status: 'ERROR' } })).status, 202);
    assert.equal(await statusOf(id), 'error');
    for (const body of [
      {},
      { status: 'fine' },
      { attach_status: 'reserved' },
      { status: 'deleting' },
      { status: 'in-use' },
    ]) {
      assert.equal((await act(id, { 'os-reset_status': body })).status, 400, JSON.stringify(body));
    }
    assert.equal(await statusOf(id), 'error');
    const asMember = await project.call(
      'POST',
      `/volumes/${id}/action`,
      { 'os-reset_status': { status: 'error' } },
      { token: 'member' },
    );
    assert.equal(asMember.status, 403);
  });

  it('takes the attachments away where it is reset to detached', async () => {
    const id = await project.volume();
    await bed.store.volumes.updateIf(id, {}, { status: 'in-use', attachStatus: 'attached' });
    await bed.store.attachments.insert({ id: randomUUID(), volumeId: id, attachStatus: 'attached' });
    assert.equal((await act(id, { 'os-reset_status': { status: 'in-use' } })).status, 202);
    await act(id, { 'os-reset_status': { status: 'available', attach_status: 'detached' } });
    assert.deepEqual(await bed.store.attachments.listByVolume(id), []);
    assert.equal((await bed.store.volumes.get(id))?.attachStatus, 'detached');
  });

  it('says which actions there are where one is unknown', async () => {
    const id = await project.volume();
    for (const body of [
      { 'os-dance': {} },
      {},
      { 'os-extend': { new_size: 2 }, 'os-dance': {} },
      { 'os-retype': { new_type: 'x' } },
    ]) {
      const reply = await act(id, body);
      assert.equal(reply.status, 400);
      assert.match(messageOf(reply), /os-extend/);
    }
  });
});

describe('extending a volume', () => {
  it('hands it to the scheduler', async () => {
    const id = await project.volume();
    bed.working = false;
    assert.deepEqual(await act(id, { 'os-extend': { new_size: '3' } }), { status: 202, body: undefined });
    const volume = await bed.store.volumes.get(id);
    assert.deepEqual([volume?.status, volume?.previousStatus, volume?.sizeGb], ['extending', 'available', 1]);
    assert.deepEqual(project.work(id).at(-1), [
      'extend_volume',
      'cinder-scheduler',
      { newSizeGb: 3, reservations: [] },
    ]);
    assert.match(messageOf(await act(id, { 'os-extend': { new_size: 4 } })), /is extending/);
  });

  it('never makes it smaller, nor larger than the quota', async () => {
    const id = await project.volume({ size: 2 });
    for (const size of [1, 2, 0, 'x', 1e12]) {
      assert.equal((await act(id, { 'os-extend': { new_size: size } })).status, 400, String(size));
    }
    assert.equal((await act(id, { 'os-extend': { new_size: 1001 } })).status, 413);
    assert.equal((await act(id, { 'os-extend': { new_size: 1000 } })).status, 202);
  });

  it('says that a volume in use cannot be extended', async () => {
    const id = await project.volume();
    await bed.store.volumes.updateIf(id, {}, { status: 'in-use' });
    assert.match(messageOf(await act(id, { 'os-extend': { new_size: 3 } })), /in use.*Detach/);
    assert.equal((await act(id, { 'os-extend': { new_size: 3 } }, '3.41')).status, 400);
    assert.equal(await statusOf(id), 'in-use');
  });
});

describe('deleting a volume', () => {
  const remove = (id: string, query = '') => project.call('DELETE', `/volumes/${id}${query}`);

  it('marks it and hands it to its backend', async () => {
    const id = await project.volume();
    bed.working = false;
    assert.deepEqual(await remove(id), { status: 202, body: undefined });
    const volume = await bed.store.volumes.get(id);
    assert.deepEqual([volume?.status, volume?.previousStatus], ['deleting', 'available']);
    assert.ok(volume?.terminatedAt);
    assert.deepEqual(project.work(id).at(-1), ['delete_volume', BACKEND, { force: false, cascade: false }]);
    assert.equal((await remove(id)).status, 400);
  });

  it('says everything that stands in the way, and changes nothing', async () => {
    const id = await project.volume();
    await project.snapshot(id);
    await bed.store.volumes.updateIf(id, {}, { status: 'in-use' });
    await bed.store.attachments.insert({ id: randomUUID(), volumeId: id, attachStatus: 'attached' });
    const refused = await remove(id);
    assert.equal(refused.status, 400);
    for (const part of [/status is in-use/, /1 attachment\)/, /1 snapshot;/]) assert.match(messageOf(refused), part);
    assert.match(messageOf(await act(id, { 'os-force_delete': {} })), /in use/);
    assert.equal(await statusOf(id), 'in-use');
  });

  it('refuses what is still being made, and its source', async () => {
    const source = await project.volume();
    bed.working = false;
    const copy = await project.volume({ source_volid: source });
    assert.match(messageOf(await remove(copy)), /is creating/);
    assert.match(messageOf(await remove(source)), /1 volume being made from it/);
  });

  it('deletes at once what never got to a backend', async () => {
    const id = await project.volume();
    await bed.store.volumes.updateIf(id, {}, { status: 'error', host: null });
    assert.equal((await remove(id)).status, 202);
    assert.equal(await statusOf(id), 'gone');
    assert.deepEqual(
      project.work(id).map(([method]) => method),
      ['create_volume'],
    );
  });

  it('takes its snapshots along with cascade', async () => {
    const id = await project.volume();
    const snapshots = [await project.snapshot(id), await project.snapshot(id)];
    await bed.store.snapshots.updateIf(snapshots[0]!, {}, { status: 'creating' });
    assert.match(messageOf(await remove(id, '?cascade=True')), /is creating/);
    await bed.store.snapshots.updateIf(snapshots[0]!, {}, { status: 'error' });
    bed.working = false;
    assert.equal((await remove(id, '?cascade=True')).status, 202);
    for (const snapshot of snapshots) {
      assert.equal((await bed.store.snapshots.get(snapshot))?.status, 'deleting');
    }
    assert.deepEqual(project.work(id).at(-1), ['delete_volume', BACKEND, { force: false, cascade: true }]);
  });

  it('does not mind the status by force, for administrators since 3.23', async () => {
    const id = await project.volume();
    await bed.store.volumes.updateIf(id, {}, { status: 'uploading' });
    const as = (version: string, token: 'admin' | 'member') =>
      project.call('DELETE', `/volumes/${id}?force=True`, undefined, { version, token });
    assert.equal((await as('3.22', 'admin')).status, 400);
    assert.equal((await as('3.70', 'member')).status, 403);
    assert.equal((await as('3.70', 'admin')).status, 202);
    assert.deepEqual(project.work(id).at(-1), ['delete_volume', BACKEND, { force: true, cascade: false }]);
    const other = await project.volume();
    await bed.store.volumes.updateIf(other, {}, { status: 'error_extending' });
    assert.equal((await act(other, { 'os-force_delete': {} })).status, 202);
  });

  it('of fifty at once is accepted once', async () => {
    const id = await project.volume();
    bed.working = false;
    const replies = await Promise.all(Array.from({ length: 50 }, () => remove(id)));
    assert.equal(replies.filter(({ status }) => status === 202).length, 1);
    assert.equal(
      (await bed.store.operations.history(id, 100)).filter(({ method }) => method === 'delete_volume').length,
      1,
    );
  });

  it('and taking a snapshot of it exclude each other', async () => {
    bed.working = false;
    for (let round = 0; round < 5; round++) {
      bed.working = true;
      const id = await project.volume();
      bed.working = false;
      const [removed, taken] = await Promise.all([
        remove(id),
        project.call('POST', '/snapshots', { snapshot: { volume_id: id } }),
      ]);
      assert.deepEqual([removed.status, taken.status].sort(), [202, 400]);
    }
  });

  it('waits while its backend is frozen', async () => {
    const id = await project.volume();
    const [service] = await bed.store.services.list({ host: BACKEND });
    await bed.store.services.setFrozen(service!.id, true);
    try {
      assert.match(messageOf(await remove(id)), /frozen/);
    } finally {
      await bed.store.services.setFrozen(service!.id, false);
    }
    assert.equal(await statusOf(id), 'available');
  });
});

describe('metadata', () => {
  it('is added to, replaced, and deleted by key', async () => {
    const path = `/volumes/${await project.volume({ metadata: { a: '1' } })}/metadata`;
    const call = project.call;
    assert.deepEqual((await call('POST', path, { metadata: { b: '2' } })).body, { metadata: { a: '1', b: '2' } });
    assert.deepEqual((await call('PUT', path, { metadata: { c: '3' } })).body, { metadata: { c: '3' } });
    assert.deepEqual((await call('PUT', `${path}/d`, { meta: { d: '4' } })).body, { meta: { d: '4' } });
    assert.deepEqual((await call('GET', `${path}/d`)).body, { meta: { d: '4' } });
    assert.deepEqual(await call('DELETE', `${path}/c`), { status: 200, body: undefined });
    assert.deepEqual((await call('GET', path)).body, { metadata: { d: '4' } });
    assert.equal((await call('DELETE', `${path}/c`)).status, 404);
    assert.equal((await call('GET', `${path}/c`)).status, 404);
    assert.equal((await call('PUT', `${path}/d`, { meta: { e: '5' } })).status, 400);
    assert.equal((await call('POST', path, { metadata: { 'x=y': '5' } })).status, 400);
  });

  it('is not replaced where it changed meanwhile', async () => {
    const id = await project.volume({ metadata: { a: '1' } });
    const request = (method: 'GET' | 'PUT', headers: Record<string, string>) =>
      bed.api.server.inject({
        method,
        url: `/v3/${project.id}/volumes/${id}/metadata`,
        headers: { 'x-auth-token': 'admin', 'openstack-api-version': 'volume 3.70', ...headers },
        ...(method === 'PUT' ? { payload: { metadata: { b: '2' } } } : {}),
      });
    const tag = String((await request('GET', {})).headers.etag);
    assert.equal((await request('PUT', { 'if-match': '"other"' })).statusCode, 412);
    assert.equal((await request('PUT', { 'if-match': tag })).statusCode, 200);
    assert.equal((await request('PUT', { 'if-match': tag })).statusCode, 412);
  });
});
