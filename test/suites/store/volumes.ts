import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { isFailure } from '../../../src/model/errors.ts';
import type { NewVolume } from '../../../src/model/volume.ts';
import { addAttachment, addSnapshot, addVolume, idsOf, newProject, type StoreOf } from './rows.ts';

export function volumeCases(storeOf: StoreOf): void {
  test('a volume comes back as it was inserted, every field', async () => {
    const store = storeOf();
    const plain = await addVolume(store);
    const full: NewVolume = {
      id: randomUUID(),
      nameId: randomUUID(),
      userId: 'user',
      projectId: newProject(),
      host: 'node@lvm#pool',
      clusterName: 'cluster',
      sizeGb: 17,
      availabilityZone: 'nova',
      status: 'in-use',
      attachStatus: 'attached',
      previousStatus: 'available',
      migrationStatus: 'migrating',
      replicationStatus: 'disabled',
      displayName: `it's "quoted" \n ünï \\ % _`,
      displayDescription: '',
      providerLocation: '127.0.0.1:3260,1 iqn.x 1',
      providerAuth: 'CHAP u p',
      providerId: 'p',
      snapshotId: randomUUID(),
      sourceVolumeId: randomUUID(),
      volumeTypeId: plain.volumeTypeId,
      bootable: true,
      multiattach: true,
      encryptionKeyId: randomUUID(),
      groupId: null,
      consistencyGroupId: null,
      serviceUuid: null,
      sharedTargets: false,
      useQuota: false,
      updatedAt: new Date('2026-03-29T01:30:00.123Z'),
      scheduledAt: new Date('2026-10-25T00:30:00.001Z'),
      launchedAt: new Date('2026-01-31T23:59:59.999Z'),
      terminatedAt: null,
      deletedAt: null,
      deleted: false,
      metadata: { a: '1', __proto__x: 'y', 'k"\'': 'v\n' },
      adminMetadata: { readonly: 'False' },
    };
    const inserted = await store.volumes.insert(full);
    const { createdAt, ...rest } = inserted;
    assert.deepEqual(rest, full);
    assert.ok(Math.abs(Date.now() - createdAt.getTime()) < 3_600_000, 'created_at is UTC');
    assert.deepEqual(await store.volumes.get(full.id), inserted);
  });

  test('what is not said of a new volume starts at its default', async () => {
    const volume = await addVolume(storeOf());
    assert.equal(volume.attachStatus, 'detached');
    assert.equal(volume.bootable, false);
    assert.equal(volume.multiattach, false);
    assert.equal(volume.useQuota, true);
    assert.equal(volume.deleted, false);
    assert.equal(volume.updatedAt, null);
    assert.deepEqual(volume.metadata, {});
    assert.deepEqual(volume.adminMetadata, {});
  });

  test('an id that is taken, a text that is too long or holds NUL, a huge size: refused, nothing is left', async () => {
    const store = storeOf();
    const projectId = newProject();
    const volume = await addVolume(store, { projectId });
    await assert.rejects(addVolume(store, { id: volume.id, projectId }), (error) => isFailure(error, 'Overtaken'));
    const bad: Partial<NewVolume>[] = [
      { displayName: 'x'.repeat(256) },
      { displayName: 'a\0b' },
      { sizeGb: 1e12 },
      { metadata: { ['k'.repeat(256)]: 'v' } },
      { metadata: { '': 'v' } },
    ];
    for (const values of bad) {
      await assert.rejects(addVolume(store, { projectId, ...values }), (error) => isFailure(error, 'InvalidInput'));
    }
    assert.equal(await store.volumes.count({ projectId }), 1);
  });

  test('get keeps to the project and shows deleted rows only when asked', async () => {
    const store = storeOf();
    const volume = await addVolume(store, { projectId: newProject(), metadata: { a: '1' } });
    assert.equal(await store.volumes.get(volume.id, { projectId: newProject() }), null);
    assert.equal((await store.volumes.get(volume.id, { projectId: volume.projectId }))?.id, volume.id);
    const gone = await store.volumes.updateIf(volume.id, {}, { status: 'deleted', deleted: true });
    assert.equal(gone?.deleted, true);
    assert.ok(gone?.deletedAt instanceof Date);
    assert.equal(await store.volumes.get(volume.id), null);
    assert.equal((await store.volumes.get(volume.id, { deleted: true }))?.status, 'deleted');
    assert.equal(await store.volumes.updateIf(volume.id, {}, { status: 'available' }), null);
    assert.deepEqual(await store.volumes.list({ projectId: volume.projectId }), []);
  });

  test('of many who change the same volume under the same condition, exactly one wins', async () => {
    const store = storeOf();
    const volume = await addVolume(store);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        store.volumes.updateIf(volume.id, { status: ['available'] }, { status: 'extending', previousStatus: `${n}` }),
      ),
    );
    const winners = results.filter((result) => result !== null);
    assert.equal(winners.length, 1);
    assert.deepEqual(await store.volumes.get(volume.id), winners[0]);
    assert.ok(winners[0]?.updatedAt instanceof Date);
  });

  test('each condition of updateIf guards', async () => {
    const store = storeOf();
    const volume = await addVolume(store, { host: 'node@lvm#p', sizeGb: 5 });
    const holds = [
      ...[{ status: 'available' as const }, { status: ['error', 'available'] as const }, { attachStatus: 'detached' }],
      ...[{ migrationStatus: null }, { host: 'node@lvm#p' }, { noSnapshots: true as const }, { multiattach: false }],
      ...[{ noAttachments: true as const }, { sizeLessThanGb: 6 }, {}],
    ];
    for (const condition of holds) {
      assert.ok(await store.volumes.updateIf(volume.id, condition, { providerId: 'x' }), JSON.stringify(condition));
    }
    const fails = [
      ...[{ status: 'error' as const }, { status: [] }, { attachStatus: ['attached'] }, { host: null }],
      ...[{ host: 'node@lvm' }, { multiattach: true }, { sizeLessThanGb: 5 }],
    ];
    for (const condition of fails) {
      assert.equal(
        await store.volumes.updateIf(volume.id, condition, { providerId: 'y' }),
        null,
        JSON.stringify(condition),
      );
    }
    await store.volumes.updateIf(volume.id, {}, { migrationStatus: 'migrating' });
    assert.equal(await store.volumes.updateIf(volume.id, { migrationStatus: null }, { providerId: 'y' }), null);
    await store.volumes.updateIf(volume.id, {}, { migrationStatus: 'success' });
    assert.ok(await store.volumes.updateIf(volume.id, { migrationStatus: null }, { providerId: 'x' }));
    assert.equal((await store.volumes.get(volume.id))?.providerId, 'x');
  });

  test('noSnapshots and noAttachments see what is there, and not what is deleted', async () => {
    const store = storeOf();
    const volume = await addVolume(store);
    const snapshot = await addSnapshot(store, volume);
    const attachment = await addAttachment(store, volume);
    const remove = (condition: object) => store.volumes.updateIf(volume.id, condition, { status: 'deleting' });
    assert.equal(await remove({ noSnapshots: true }), null);
    assert.equal(await remove({ noAttachments: true }), null);
    await store.snapshots.updateIf(snapshot.id, {}, { status: 'deleted', deleted: true });
    await store.attachments.updateIf(attachment.id, {}, { attachStatus: 'deleted', deleted: true });
    assert.ok(await remove({ noSnapshots: true, noAttachments: true }));
  });

  test('a snapshot, an attachment or a clone and the deletion of their volume exclude each other', async () => {
    const store = storeOf();
    for (let round = 0; round < 12; round += 1) {
      const volume = await addVolume(store);
      const [removed, snapshot, attachment] = await Promise.allSettled([
        store.volumes.updateIf(volume.id, { noSnapshots: true, noAttachments: true }, { status: 'deleting' }),
        addSnapshot(store, volume),
        addAttachment(store, volume),
      ]);
      assert.ok(removed.status === 'fulfilled');
      const dependants = [snapshot, attachment].filter((result) => result.status === 'fulfilled').length;
      assert.equal(dependants, removed.value === null ? dependants || 1 : 0);
      if (removed.value === null) continue;
      await assert.rejects(addVolume(store, { sourceVolumeId: volume.id }), (error) =>
        isFailure(error, 'InvalidVolume'),
      );
    }
  });

  test('metadata is merged or replaced, also by several at once; keys stay single', async () => {
    const store = storeOf();
    const { id } = await addVolume(store, { metadata: { a: '1', b: '2' } });
    await store.volumes.setMetadata(id, { b: '3', c: '4' }, 'merge');
    assert.deepEqual((await store.volumes.get(id))?.metadata, { a: '1', b: '3', c: '4' });
    await store.volumes.setMetadata(id, { c: '5' }, 'replace');
    assert.deepEqual((await store.volumes.get(id))?.metadata, { c: '5' });
    assert.equal(await store.volumes.deleteMetadataKey(id, 'c'), true);
    assert.equal(await store.volumes.deleteMetadataKey(id, 'c'), false);
    assert.deepEqual((await store.volumes.get(id))?.metadata, {});
    await Promise.all([1, 2, 3, 4, 5].map((n) => store.volumes.setMetadata(id, { n: `${n}` }, 'merge')));
    await store.volumes.deleteMetadataKey(id, 'n');
    assert.deepEqual((await store.volumes.get(id))?.metadata, {});
    await store.volumes.setAdminMetadata(id, { readonly: 'True', attached_mode: 'ro' });
    await store.volumes.setAdminMetadata(id, { readonly: 'False' });
    assert.deepEqual((await store.volumes.get(id))?.adminMetadata, { readonly: 'False' });
    await assert.rejects(store.volumes.setMetadata(randomUUID(), { a: '1' }, 'merge'), (error) =>
      isFailure(error, 'VolumeNotFound'),
    );
  });

  test('filters narrow, alone and together', async () => {
    const store = storeOf();
    const projectId = newProject();
    const a = await addVolume(store, {
      ...{
        projectId,
        displayName: 'alpha_1',
        sizeGb: 1,
        host: 'n@lvm#p',
        bootable: true,
        metadata: { k: 'v', l: 'w' },
      },
    });
    const b = await addVolume(store, {
      ...{ projectId, displayName: 'alphaX1', sizeGb: 2, host: 'n@lvm2#p', status: 'error', metadata: { k: 'v' } },
    });
    const c = await addVolume(store, { projectId, displayName: null, sizeGb: 3, sourceVolumeId: a.id });
    const found = async (filters: object) => idsOf(await store.volumes.list({ projectId, filters })).sort();
    const sorted = (...volumes: { id: string }[]) => idsOf(volumes).sort();
    assert.deepEqual(await found({}), sorted(a, b, c));
    assert.deepEqual(await found({ id: [a.id, c.id] }), sorted(a, c));
    assert.deepEqual(await found({ name: 'alpha_1' }), sorted(a));
    assert.deepEqual(await found({ nameLike: 'a_1' }), sorted(a), 'the wildcard is an ordinary character');
    assert.deepEqual(await found({ status: ['error', 'creating'] }), sorted(b));
    assert.deepEqual(await found({ status: [] }), []);
    assert.deepEqual(await found({ host: 'n@lvm' }), sorted(a));
    assert.deepEqual(await found({ host: 'n@lvm2#p' }), sorted(b));
    assert.deepEqual(await found({ bootable: true }), sorted(a));
    assert.deepEqual(await found({ sourceVolumeId: a.id }), sorted(c));
    assert.deepEqual(await found({ sizeGb: 2 }), sorted(b));
    assert.deepEqual(await found({ metadata: { k: 'v' } }), sorted(a, b));
    assert.deepEqual(await found({ metadata: { k: 'v', l: 'w' } }), sorted(a));
    assert.deepEqual(await found({ metadata: { k: 'w' } }), []);
    assert.deepEqual(await found({ metadata: { k: 'v' }, status: 'available' }), sorted(a));
    assert.deepEqual(await found({ createdAt: { lt: a.createdAt } }), []);
    assert.ok((await found({ createdAt: { eq: a.createdAt } })).includes(a.id), 'a time that was shown finds its row');
    assert.ok(!(await found({ createdAt: { gt: c.createdAt } })).includes(c.id));
    assert.equal(await store.volumes.count({ projectId, filters: { metadata: { k: 'v' } } }), 2);
    assert.deepEqual(await store.volumes.summary({ projectId }), { count: 3, sizeGb: 6 });
    assert.deepEqual(await store.volumes.summary({ projectId: newProject() }), { count: 0, sizeGb: 0 });
  });

  test('the volumes of a backend are those of all its pools, and of no other backend', async () => {
    const store = storeOf();
    const name = `h-${newProject()}@lvm`;
    const made = await Promise.all(
      [`${name}#p1`, `${name}#p1`, `${name}#p2`, name, `${name}2#p1`, `x${name}#p1`, null].map((host, n) =>
        addVolume(store, { host, sizeGb: 2 ** n }),
      ),
    );
    const mine = idsOf(made.slice(0, 4)).sort();
    const pages: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = idsOf(await store.volumes.listByBackend(name, after, 3));
      pages.push(...page);
      if (page.length === 0) break;
      after = page.at(-1)!;
    }
    assert.deepEqual(pages, mine);
    assert.deepEqual(await store.volumes.allocated(name), [
      { host: name, sizeGb: 8, count: 1 },
      { host: `${name}#p1`, sizeGb: 3, count: 2 },
      { host: `${name}#p2`, sizeGb: 4, count: 1 },
    ]);
    const all = await store.volumes.allocated(null);
    assert.ok(all.some((entry) => entry.host === `${name}2#p1` && entry.sizeGb === 16));
  });
}
