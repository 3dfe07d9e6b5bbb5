import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { BACKEND, type Bed, openBed, type Project } from './bed.ts';

describe('snapshots', () => {
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

  const create = (fields: object, version = '3.70') =>
    project.call('POST', '/snapshots', { snapshot: fields }, { version });
  const act = (id: string, action: object) => project.call('POST', `/snapshots/${id}/action`, action);
  const statusOf = async (id: string) => (await bed.store.snapshots.get(id))?.status ?? 'gone';

  it('are recorded, handed to the backend and answered with 202', async () => {
    const volume = await project.volume({ size: 2 });
    bed.working = false;
    const reply = await create({ volume_id: volume, name: "it's", description: 'd', metadata: { a: 'b' } });
    assert.equal(reply.status, 202);
    const { snapshot } = reply.body;
    assert.deepEqual(
      [snapshot.status, snapshot.size, snapshot.volume_id, snapshot.name, snapshot.description, snapshot.metadata],
      ['creating', 2, volume, "it's", 'd', { a: 'b' }],
    );
    assert.deepEqual(project.work(snapshot.id), [['create_snapshot', BACKEND, { volumeId: volume }]]);
    const shown = (await project.call('GET', `/snapshots/${snapshot.id}`)).body.snapshot;
    assert.equal(shown['os-extended-snapshot-attributes:progress'], '0%');
    assert.equal(shown['os-extended-snapshot-attributes:project_id'], project.id);
  });

  it('of a volume in use need force until 3.66, and are refused it afterwards', async () => {
    const volume_id = await project.volume();
    await bed.store.volumes.updateIf(volume_id, {}, { status: 'in-use' });
    assert.equal((await create({ volume_id }, '3.65')).status, 400);
    assert.equal((await create({ volume_id, force: false }, '3.65')).status, 400);
    assert.equal((await create({ volume_id, force: 'True' }, '3.65')).status, 202);
    assert.equal((await create({ volume_id }, '3.66')).status, 202);
    assert.equal((await create({ volume_id, force: true }, '3.66')).status, 202);
    assert.equal((await create({ volume_id, force: false }, '3.66')).status, 400);
  });

  it('of what is not there or not ready are refused', async () => {
    const volume = await project.volume();
    assert.equal((await create({ volume_id: randomUUID() })).status, 404);
    assert.equal((await create({ volume_id: 'x' })).status, 400);
    assert.equal((await create({ name: 'x' })).status, 400);
    assert.equal((await create({ volume_id: volume, name: 'x'.repeat(300) })).status, 400);
    assert.equal((await create({ volume_id: volume, colour: 'red' })).status, 400);
    await bed.store.volumes.updateIf(volume, {}, { status: 'error' });
    assert.match((await create({ volume_id: volume })).body.badRequest.message, /is error/);
    assert.equal((await project.call('GET', '/snapshots?with_count=1')).body.count, 0);
  });

  it('are listed in pages, narrowed, ordered', async () => {
    const [one, two] = [await project.volume(), await project.volume()];
    const ids: string[] = [];
    for (const [volume_id, name] of [
      [one, 'b'],
      [two, 'c'],
      [one, 'a'],
    ] as const) {
      ids.push((await create({ volume_id, name, metadata: { name } })).body.snapshot.id);
    }
    const list = async (query: string, version = '3.70') => {
      const reply = await project.call('GET', `/snapshots?${query}`, undefined, { version });
      return reply.body.snapshots.map(({ id }: { id: string }) => id);
    };
    assert.deepEqual(await list(''), ids.toReversed());
    assert.deepEqual(await list('sort=name:asc'), [ids[2], ids[0], ids[1]]);
    assert.deepEqual(await list('sort_key=display_name&sort_dir=asc', '3.29'), [ids[2], ids[0], ids[1]]);
    assert.equal((await project.call('GET', '/snapshots?sort=name', undefined, { version: '3.29' })).status, 400);
    assert.deepEqual(await list(`volume_id=${one}&sort=name:asc`), [ids[2], ids[0]]);
    assert.deepEqual(await list(`metadata=${encodeURIComponent("{'name': 'c'}")}`), [ids[1]]);
    const page = await project.call('GET', '/snapshots/detail?limit=2&sort=name:asc');
    const href: string = page.body.snapshots_links[0].href;
    const rest = await project.call('GET', href.slice(href.indexOf('/snapshots')));
    assert.deepEqual(
      rest.body.snapshots.map(({ id }: { id: string }) => id),
      [ids[1]],
    );
  });

  it('change their name and description', async () => {
    const id = await project.snapshot(await project.volume());
    const reply = await project.call('PUT', `/snapshots/${id}`, { snapshot: { name: 'n', description: null } });
    assert.deepEqual([reply.status, reply.body.snapshot.name], [200, 'n']);
    assert.equal((await project.call('PUT', `/snapshots/${id}`, { snapshot: {} })).status, 400);
    const path = `/snapshots/${id}/metadata`;
    assert.deepEqual((await project.call('POST', path, { metadata: { a: 'b' } })).body, { metadata: { a: 'b' } });
    assert.equal((await project.call('DELETE', `${path}/a`)).status, 200);
  });

  it('are marked and handed to the backend to be deleted', async () => {
    const volume = await project.volume();
    const id = await project.snapshot(volume);
    bed.working = false;
    assert.deepEqual(await project.call('DELETE', `/snapshots/${id}`), { status: 202, body: undefined });
    assert.equal(await statusOf(id), 'deleting');
    assert.deepEqual(project.work(id).at(-1), ['delete_snapshot', BACKEND, { volumeId: volume }]);
    assert.match((await project.call('DELETE', `/snapshots/${id}`)).body.badRequest.message, /is deleting/);
    assert.equal((await project.call('DELETE', `/snapshots/${randomUUID()}`)).status, 404);
  });

  it('are kept while a volume is made from them, also against force', async () => {
    const id = await project.snapshot(await project.volume());
    bed.working = false;
    await project.volume({ snapshot_id: id });
    assert.match((await project.call('DELETE', `/snapshots/${id}`)).body.badRequest.message, /being made/);
    assert.match((await act(id, { 'os-force_delete': {} })).body.badRequest.message, /being made/);
    assert.equal(await statusOf(id), 'available');
  });

  it('are deleted in any status by force', async () => {
    const id = await project.snapshot(await project.volume());
    assert.equal((await act(id, { 'os-reset_status': { status: 'backing-up' } })).status, 202);
    assert.equal((await project.call('DELETE', `/snapshots/${id}`)).status, 400);
    assert.equal((await act(id, { 'os-force_delete': {} })).status, 202);
    assert.equal(await statusOf(id), 'gone');
  });

  it('take the reports of those who make them', async () => {
    const volume = await project.volume();
    bed.working = false;
    const id = await project.snapshot(volume);
    const report = (status: string, progress?: string) =>
      act(id, { 'os-update_snapshot_status': { status, ...(progress ? { progress } : {}) } });
    assert.equal((await report('creating', '40%')).status, 202);
    assert.equal((await bed.store.snapshots.get(id))?.progress, '40%');
    for (const [status, progress] of [['deleting'], ['fine'], ['creating', '101%'], ['creating', 'x']] as const) {
      assert.equal((await report(status, progress)).status, 400, status);
    }
    assert.equal((await report('available')).status, 202);
    assert.equal((await report('error')).status, 400);
    assert.equal((await act(id, { 'os-reset_status': { status: 'fine' } })).status, 400);
  });
});
