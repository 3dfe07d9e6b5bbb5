import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { Store } from '../../../src/db/store.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { addVolume, idsOf, newProject, type StoreOf } from './rows.ts';

type Sort = readonly { readonly key: string; readonly dir: 'asc' | 'desc' }[];

export function pagingCases(storeOf: StoreOf): void {
  test('pages follow one another in every order, with equal and missing values', async () => {
    const store = storeOf();
    const projectId = newProject();
    const instant = new Date('2026-01-01T00:00:00Z');
    for (let n = 0; n < 14; n += 1) {
      await addVolume(store, {
        projectId,
        sizeGb: 1 + (n % 3),
        displayName: n % 4 === 0 ? null : `name-${n % 5}`,
        updatedAt: n % 2 === 0 ? instant : null,
      });
    }
    const orders: Sort[] = [
      [],
      [{ key: 'sizeGb', dir: 'asc' }],
      [{ key: 'displayName', dir: 'asc' }],
      [{ key: 'displayName', dir: 'desc' }],
      [
        { key: 'updatedAt', dir: 'desc' },
        { key: 'sizeGb', dir: 'asc' },
      ],
      [
        { key: 'sizeGb', dir: 'desc' },
        { key: 'displayName', dir: 'asc' },
        { key: 'updatedAt', dir: 'asc' },
      ],
      [{ key: 'id', dir: 'desc' }],
    ];
    for (const sort of orders) {
      const query = sort.length === 0 ? { projectId } : { projectId, sort };
      const whole = idsOf(await store.volumes.list(query));
      assert.equal(new Set(whole).size, 14);
      for (const limit of [1, 4, 14]) {
        assert.deepEqual(await paged(store, projectId, sort, limit), whole, JSON.stringify({ sort, limit }));
      }
      assert.deepEqual(idsOf(await store.volumes.list({ ...query, limit: 3, offset: 2 })), whole.slice(2, 5));
    }
  });

  test('the newest comes first where no order is asked for', async () => {
    const store = storeOf();
    const projectId = newProject();
    const made = [];
    for (let n = 0; n < 3; n += 1) made.push(await addVolume(store, { projectId }));
    const listed = await store.volumes.list({ projectId });
    const times = listed.map((volume) => volume.createdAt.getTime());
    assert.deepEqual(
      times,
      [...times].sort((x, y) => y - x),
    );
    assert.deepEqual(idsOf(listed).sort(), idsOf(made).sort());
  });

  test('a marker that is deleted between two pages keeps its place; an unknown one is refused', async () => {
    const store = storeOf();
    const projectId = newProject();
    for (let n = 0; n < 4; n += 1) await addVolume(store, { projectId });
    const [first, second, ...rest] = await store.volumes.list({ projectId });
    await store.volumes.updateIf(second!.id, {}, { status: 'deleted', deleted: true });
    assert.deepEqual(idsOf(await store.volumes.list({ projectId, marker: second!.id })), idsOf(rest));
    assert.deepEqual(await store.volumes.list({ projectId, marker: rest.at(-1)!.id }), []);
    const unknown = [
      { projectId, marker: randomUUID() },
      { projectId: newProject(), marker: first!.id },
    ];
    for (const query of unknown) {
      await assert.rejects(store.volumes.list(query), (error) => isFailure(error, 'NotFound'));
    }
  });

  test('a key that is none of the model is refused', async () => {
    for (const key of ['metadata', 'nonsense', 'display_name', 'constructor', 'id; drop table volumes']) {
      await assert.rejects(storeOf().volumes.list({ projectId: null, sort: [{ key, dir: 'asc' }] }), (error) =>
        isFailure(error, 'InvalidInput'),
      );
    }
  });
}

async function paged(store: Store, projectId: string, sort: Sort, limit: number): Promise<string[]> {
  const result: string[] = [];
  for (let page = 0; page < 20; page += 1) {
    const marker = result.at(-1);
    const volumes = await store.volumes.list({
      projectId,
      limit,
      ...(sort.length === 0 ? {} : { sort }),
      ...(marker === undefined ? {} : { marker }),
    });
    if (volumes.length === 0) return result;
    result.push(...idsOf(volumes));
  }
  throw new Error('paging does not end');
}
