import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { armFailpoints } from '../../../src/lib/failpoint.ts';
import { addVolume, newOperation, newProject, type StoreOf } from './rows.ts';

export function transactionCases(storeOf: StoreOf): void {
  test('a transaction sees its own writes, others see them when it is done', async () => {
    const store = storeOf();
    const projectId = newProject();
    const operation = newOperation();
    const result = await store.transaction(async (tx) => {
      await addVolume(tx, { projectId });
      await tx.transaction((inner) => inner.operations.record(operation));
      assert.equal(await tx.volumes.count({ projectId }), 1);
      assert.equal(await store.volumes.count({ projectId }), 0);
      return 'result';
    });
    assert.equal(result, 'result');
    assert.equal(await store.volumes.count({ projectId }), 1);
    assert.ok(await store.operations.get(operation.id));
  });

  test('an error that the callback throws comes out as it is, and nothing is kept', async () => {
    const store = storeOf();
    const projectId = newProject();
    const thrown = new Error('mine');
    const work = store.transaction(async (tx) => {
      await addVolume(tx, { projectId, metadata: { a: '1' } });
      await tx.transaction(async (inner) => {
        await addVolume(inner, { projectId });
        throw thrown;
      });
    });
    await assert.rejects(work, (error) => error === thrown);
    assert.equal(await store.volumes.count({ projectId }), 0);
  });

  test('a callback that swallows a failed statement does not believe that it committed', async () => {
    const store = storeOf();
    const projectId = newProject();
    const work = store.transaction(async (tx) => {
      const volume = await addVolume(tx, { projectId });
      await addVolume(tx, { id: volume.id }).catch(() => {});
    });
    await assert.rejects(work);
    assert.equal(await store.volumes.count({ projectId }), 0);
  });

  test('two that lock the same rows in opposite order both end well', async () => {
    const store = storeOf();
    const [a, b] = [await addVolume(store), await addVolume(store)];
    let waiting = 0;
    let release = () => {};
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    const change = (first: string, second: string, mark: string) =>
      store.transaction(async (tx) => {
        await tx.volumes.updateIf(first, {}, { providerId: mark });
        waiting += 1;
        if (waiting >= 2) release();
        await both;
        await tx.volumes.updateIf(second, {}, { providerId: mark });
      });
    await Promise.all([change(a.id, b.id, 'one'), change(b.id, a.id, 'two')]);
    assert.ok(waiting > 2, 'one of them was tried again');
    const marks = [(await store.volumes.get(a.id))?.providerId, (await store.volumes.get(b.id))?.providerId];
    assert.equal(marks[0], marks[1]);
  });

  test('fail points stand around each commit, and one before it leaves nothing', async () => {
    const store = storeOf();
    const projectId = newProject();
    const seen: string[] = [];
    const trace = (name: string) => seen.push(name);
    try {
      armFailpoints({ actions: new Map(), trace });
      await store.transaction((tx) => addVolume(tx, { projectId, metadata: { a: '1' } }));
      assert.deepEqual(seen, ['db.commit.before', 'db.commit.after']);
      seen.length = 0;
      await store.operations.record(newOperation({ id: randomUUID() }));
      assert.deepEqual(seen, ['db.commit.before', 'db.commit.after']);
      armFailpoints({ actions: new Map([['db.commit.before', { hit: 1, action: 'throw' }]]) });
      await assert.rejects(
        store.transaction((tx) => addVolume(tx, { projectId })),
        /fail point/,
      );
      armFailpoints({ actions: new Map([['db.commit.after', { hit: 1, action: 'throw' }]]) });
      await assert.rejects(
        store.transaction((tx) => addVolume(tx, { projectId })),
        /fail point/,
      );
    } finally {
      armFailpoints(undefined);
    }
    assert.equal(await store.volumes.count({ projectId }), 2);
  });
}
