import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { PROJECT } from '../../support/test-api.ts';
import { type Fixture, openFixture } from './fixture.ts';

const member = { token: 'member' } as const;

describe('volume types', () => {
  let fixture: Fixture;
  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());

  const create = (volumeType: object) => fixture.api.call('POST', '/types', { volume_type: volumeType });
  const names = async (query = '', as = {}) =>
    (await fixture.api.call('GET', `/types${query}`, undefined, as)).body.volume_types.map(
      ({ name }: { name: string }) => name,
    );

  it('are made, changed and deleted', async () => {
    const created = await create({ name: ' fast ', description: 'SSD', extra_specs: { volume_backend_name: 'lvm' } });
    assert.equal(created.status, 200);
    const { id } = created.body.volume_type;
    assert.deepEqual(created.body.volume_type, {
      id,
      name: 'fast',
      is_public: true,
      description: 'SSD',
      extra_specs: { volume_backend_name: 'lvm' },
      qos_specs_id: null,
      'os-volume-type-access:is_public': true,
    });
    const update = (volumeType: object) => fixture.api.call('PUT', `/types/${id}`, { volume_type: volumeType });
    assert.equal((await update({ name: 'faster', description: '' })).body.volume_type.name, 'faster');
    assert.equal((await fixture.api.call('GET', `/types/${id}`)).body.volume_type.description, '');
    assert.equal((await update({ name: '__DEFAULT__' })).status, 409);
    assert.equal((await update({})).status, 400);
    assert.deepEqual(await fixture.api.call('DELETE', `/types/${id}`), { status: 202, body: undefined });
    assert.equal((await fixture.api.call('GET', `/types/${id}`)).status, 404);
    assert.equal((await fixture.api.call('DELETE', `/types/${id}`)).status, 404);
    assert.equal((await update({ name: 'x' })).status, 404);
  });

  it('keep their names single, even when many want the same at once', async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, () => create({ name: 'wanted' })));
    assert.deepEqual(replies.map(({ status }) => status).toSorted(), [200, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('refuse bad names and specs', async () => {
    const bad = [
      { name: '' },
      { name: '   ' },
      { name: 'x'.repeat(256) },
      { name: 'nul\0' },
      { name: 7 },
      {},
      { name: 'a', extra_specs: { 'bad key?': 'x' } },
      { name: 'a', extra_specs: { key: 'x'.repeat(256) } },
      { name: 'a', colour: 'red' },
    ];
    for (const volumeType of bad) assert.equal((await create(volumeType)).status, 400, JSON.stringify(volumeType));
    const odd = await create({ name: `quote's "name" \n 😀` });
    assert.equal(odd.body.volume_type.name, `quote's "name" \n 😀`);
    assert.equal((await create({ name: '😀'.repeat(255) })).status, 200, 'characters count, not their encoding');
  });

  it('in use, or the default one, cannot be deleted; in use, its specs cannot change', async () => {
    const refused = await fixture.api.call('DELETE', `/types/${fixture.type.id}`);
    assert.equal(refused.status, 400);
    assert.match(refused.body.badRequest.message, /default/);
    const { id } = (await create({ name: 'used', extra_specs: { a: '1' } })).body.volume_type;
    await fixture.addVolume({ volumeTypeId: id });
    const inUse = await fixture.api.call('DELETE', `/types/${id}`);
    assert.equal(inUse.status, 400);
    assert.match(inUse.body.badRequest.message, /in use by 1 volumes/);
    assert.equal((await fixture.api.call('POST', `/types/${id}/extra_specs`, { extra_specs: { b: '2' } })).status, 400);
    assert.equal((await fixture.api.call('DELETE', `/types/${id}/extra_specs/a`)).status, 400);
  });

  it('have extra specs', async () => {
    const { id } = (await create({ name: 'specified' })).body.volume_type;
    const path = `/types/${id}/extra_specs`;
    const added = await fixture.api.call('POST', path, {
      extra_specs: { 'capabilities:tier': '<in> ssd', multiattach: '<is> True' },
    });
    assert.deepEqual(added.body, { extra_specs: { 'capabilities:tier': '<in> ssd', multiattach: '<is> True' } });
    assert.deepEqual((await fixture.api.call('GET', path, undefined, member)).body.extra_specs, {
      multiattach: '<is> True',
    });
    assert.deepEqual((await fixture.api.call('GET', `${path}/capabilities:tier`)).body, {
      'capabilities:tier': '<in> ssd',
    });
    assert.equal((await fixture.api.call('GET', `${path}/capabilities:tier`, undefined, member)).status, 404);
    const changed = await fixture.api.call('PUT', `${path}/multiattach`, { multiattach: '<is> False' });
    assert.deepEqual(changed, { status: 200, body: { multiattach: '<is> False' } });
    assert.equal((await fixture.api.call('PUT', `${path}/multiattach`, { other: 'x' })).status, 400);
    assert.equal((await fixture.api.call('PUT', `${path}/multiattach`, { multiattach: 'x', other: 'x' })).status, 400);
    assert.equal((await fixture.api.call('DELETE', `${path}/multiattach`)).status, 202);
    assert.equal((await fixture.api.call('DELETE', `${path}/multiattach`)).status, 404);
    assert.deepEqual((await fixture.api.call('GET', path)).body, { extra_specs: { 'capabilities:tier': '<in> ssd' } });
  });

  it('are private to the projects that may use them', async () => {
    const { id } = (await create({ name: 'private', 'os-volume-type-access:is_public': 'False' })).body.volume_type;
    const access = `/types/${id}/os-volume-type-access`;
    const act = (name: string, project: unknown, as = {}) =>
      fixture.api.call('POST', `/types/${id}/action`, { [name]: { project } }, as);
    assert.equal((await fixture.api.call('GET', `/types/${id}`, undefined, member)).status, 404);
    assert.equal((await names('', member)).includes('private'), false);
    assert.equal((await names()).includes('private'), false);
    assert.equal((await names('?is_public=None')).includes('private'), true);
    assert.deepEqual(await names('?is_public=False'), ['private']);
    assert.equal((await act('addProjectAccess', PROJECT, member)).status, 403);
    assert.equal((await act('addProjectAccess', PROJECT)).status, 202);
    assert.equal((await act('addProjectAccess', PROJECT)).status, 409);
    assert.equal((await act('addProjectAccess', '')).status, 400);
    assert.deepEqual((await fixture.api.call('GET', access)).body.volume_type_access, [
      { volume_type_id: id, project_id: PROJECT },
    ]);
    assert.equal((await fixture.api.call('GET', `/types/${id}`, undefined, member)).status, 200);
    assert.equal((await names('', member)).includes('private'), true);
    assert.equal((await act('removeProjectAccess', PROJECT)).status, 202);
    assert.equal((await act('removeProjectAccess', PROJECT)).status, 404);
    assert.equal((await fixture.api.call('GET', `/types/${fixture.type.id}/os-volume-type-access`)).status, 404);
    const onPublic = { addProjectAccess: { project: PROJECT } };
    assert.equal((await fixture.api.call('POST', `/types/${fixture.type.id}/action`, onPublic)).status, 400);
  });

  it('are listed in pages, and the default one by its name', async () => {
    const all = await names('?is_public=none&sort=name:asc');
    const first = await fixture.api.call('GET', '/types?is_public=none&sort=name:asc&limit=2');
    assert.deepEqual(
      first.body.volume_types.map(({ name }: { name: string }) => name),
      all.slice(0, 2),
    );
    const next = new URL(first.body.volume_type_links[0].href).search;
    assert.deepEqual(await names(next), all.slice(2, 4));
    assert.deepEqual(await names(`?name=${all[1]}&is_public=none`), [all[1]]);
    assert.deepEqual(await names(`?extra_specs=${encodeURIComponent("{'none': 'has'}")}`), []);
    assert.equal((await fixture.api.call('GET', '/types?nmae=x')).status, 400);
    assert.equal((await fixture.api.call('GET', '/types?marker=nothing')).status, 404);
    assert.equal((await fixture.api.call('GET', '/types?is_public=maybe')).status, 400);
    assert.equal((await fixture.api.call('GET', '/types/default')).body.volume_type.id, fixture.type.id);
    assert.deepEqual((await fixture.api.call('GET', `/types/${fixture.type.id}/encryption`)).body, {});
  });

  it('are for administrators to edit', async () => {
    const { id } = fixture.type;
    const calls = [
      ['POST', '/types', { volume_type: { name: 'mine' } }],
      ['PUT', `/types/${id}`, { volume_type: { name: 'mine' } }],
      ['DELETE', `/types/${id}`, undefined],
      ['POST', `/types/${id}/extra_specs`, { extra_specs: { a: 'b' } }],
      ['PUT', `/types/${id}/extra_specs/a`, { a: 'b' }],
      ['DELETE', `/types/${id}/extra_specs/a`, undefined],
      ['GET', `/types/${id}/os-volume-type-access`, undefined],
    ] as const;
    for (const [method, path, body] of calls) {
      assert.equal((await fixture.api.call(method, path, body, member)).status, 403, `${method} ${path}`);
    }
    assert.equal((await fixture.api.call('GET', `/types/${randomUUID()}`)).status, 404);
  });
});
