import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { isFailure } from '../../../src/model/errors.ts';
import { addVolume, newProject, type StoreOf } from './rows.ts';

export function volumeTypeCases(storeOf: StoreOf): void {
  test('a fresh database has the default type, public', async () => {
    const type = await storeOf().types.getByName('__DEFAULT__');
    assert.equal(type?.isPublic, true);
    assert.deepEqual(type?.extraSpecs, {});
  });

  test('insert, read, change, extra specs', async () => {
    const store = storeOf();
    const id = randomUUID();
    const type = await store.types.insert({ id, name: `t-${id}`, description: 'd', extraSpecs: { a: '<in> b' } });
    assert.deepEqual(await store.types.get(id), type);
    assert.deepEqual(type.extraSpecs, { a: '<in> b' });
    await store.types.setExtraSpecs(id, { a: 'x', b: 'y' });
    assert.deepEqual((await store.types.get(id))?.extraSpecs, { a: 'x', b: 'y' });
    assert.equal(await store.types.deleteExtraSpec(id, 'a'), true);
    assert.equal(await store.types.deleteExtraSpec(id, 'a'), false);
    const changed = await store.types.update(id, { description: null, isPublic: false });
    assert.equal(changed?.description, null);
    assert.equal(changed?.isPublic, false);
    assert.deepEqual(changed?.extraSpecs, { b: 'y' });
    assert.equal(await store.types.update(randomUUID(), { name: `t-${randomUUID()}` }), null);
  });

  test('a name belongs to one type, also when several ask for it at once', async () => {
    const store = storeOf();
    const name = `t-${randomUUID()}`;
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => store.types.insert({ id: randomUUID(), name })),
    );
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(isFailure(result.reason, 'VolumeTypeExists'));
    }
    const other = await store.types.insert({ id: randomUUID(), name: `${name}2` });
    await assert.rejects(store.types.update(other.id, { name }), (error) => isFailure(error, 'VolumeTypeExists'));
    assert.equal((await store.types.update(other.id, { name: other.name }))?.name, other.name);
  });

  test('a type in use stays; an unused one goes and frees its name', async () => {
    const store = storeOf();
    const name = `t-${randomUUID()}`;
    const { id } = await store.types.insert({ id: randomUUID(), name, extraSpecs: { a: 'b' } });
    const volume = await addVolume(store, { volumeTypeId: id });
    assert.equal(await store.types.countVolumes(id), 1);
    assert.equal(await store.types.remove(id), false);
    await store.volumes.updateIf(volume.id, {}, { status: 'deleted', deleted: true });
    assert.equal(await store.types.remove(id), true);
    assert.equal(await store.types.remove(id), false);
    assert.equal(await store.types.get(id), null);
    assert.equal(await store.types.getByName(name), null);
    await assert.rejects(addVolume(store, { volumeTypeId: id }), (error) => isFailure(error, 'InvalidVolumeType'));
    await store.types.insert({ id: randomUUID(), name });
  });

  test('a private type is for those who were let in', async () => {
    const store = storeOf();
    const [mine, theirs] = [newProject(), newProject()];
    const { id } = await store.types.insert({ id: randomUUID(), name: `t-${randomUUID()}`, isPublic: false });
    await store.types.addAccess(id, mine);
    await store.types.addAccess(id, mine);
    assert.deepEqual(await store.types.listAccess(id), [mine]);
    const sees = async (projectId: string) => (await store.types.list({ projectId })).some((type) => type.id === id);
    assert.equal(await sees(mine), true);
    assert.equal(await sees(theirs), false);
    assert.equal(
      (await store.types.list({ isPublic: true })).some((type) => type.id === id),
      false,
    );
    assert.equal(
      (await store.types.list({ isPublic: false })).some((type) => type.id === id),
      true,
    );
    assert.equal(await store.types.removeAccess(id, mine), true);
    assert.equal(await store.types.removeAccess(id, mine), false);
    await store.types.addAccess(id, mine);
    assert.equal(await store.types.removeAccess(id, mine), true, 'taking back twice collides with nothing');
    await assert.rejects(store.types.addAccess(randomUUID(), mine), (error) => isFailure(error, 'VolumeTypeNotFound'));
  });
}
