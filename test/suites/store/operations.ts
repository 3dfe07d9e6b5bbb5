import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { addVolume, idsOf, newOperation, newProject, type StoreOf } from './rows.ts';

export function operationCases(storeOf: StoreOf): void {
  test('a request is recorded once', async () => {
    const store = storeOf();
    const operation = newOperation({ arguments: { size: 1, nested: { list: [1, null, 'ü'] } }, userId: 'u' });
    assert.equal(await store.operations.record(operation), true);
    assert.equal(await store.operations.record({ ...operation, method: 'delete_volume' }), false);
    const { createdAt, ...rest } = (await store.operations.get(operation.id))!;
    assert.ok(createdAt instanceof Date);
    const unset = { worker: null, error: null, errorCode: null, result: null, startedAt: null, finishedAt: null };
    assert.deepEqual(rest, { ...operation, state: 'queued', attempt: 0, ...unset });
    assert.equal(await store.operations.get(randomUUID()), null);
  });

  test('a request for a volume that stands here is recorded once, and one at a time where that is asked', async () => {
    const store = storeOf();
    const { operations } = store;
    const { id: volumeId } = await addVolume(store, { host: 'node@lvm#pool' });
    const of = { volumeId, single: true };
    const operation = newOperation({ resourceId: volumeId, arguments: { list: [1, null, 'ü'] } });
    const there = await operations.recordForVolume(operation, of);
    assert.deepEqual(there, await operations.get(operation.id));
    assert.deepEqual([there?.state, there?.attempt, there?.arguments], ['queued', 0, operation.arguments]);
    assert.equal(await operations.recordForVolume(operation, { volumeId, single: false }), null);
    const second = newOperation({ resourceId: volumeId });
    assert.equal(await operations.recordForVolume(second, of), null);
    const other = newOperation({ resourceId: volumeId, method: 'delete_volume' });
    assert.equal((await operations.recordForVolume(other, of))?.id, other.id, 'another method');
    assert.equal((await operations.recordForVolume(second, { volumeId, single: false }))?.id, second.id);
    for (const { id } of [operation, second]) await operations.finish(id, null, { state: 'done' });
    const next = newOperation({ resourceId: volumeId });
    assert.equal((await operations.recordForVolume(next, of))?.id, next.id, 'those before have ended');
  });

  test('no request is recorded for a volume that stands elsewhere, nowhere, or is gone', async () => {
    const store = storeOf();
    for (const values of [{ host: 'node@lvmother#pool' }, { host: null }, { host: 'node@lvm', deleted: true }]) {
      const { deleted, ...rest } = { deleted: false, ...values };
      const { id: volumeId } = await addVolume(store, rest);
      if (deleted) await store.volumes.updateIf(volumeId, {}, { deleted: true });
      const operation = newOperation({ resourceId: volumeId });
      assert.equal(await store.operations.recordForVolume(operation, { volumeId, single: true }), null);
      assert.equal(await store.operations.get(operation.id), null);
    }
  });

  test('the end of a record and its volume are written together or not at all', async () => {
    const store = storeOf();
    const { operations, volumes } = store;
    const { id: volumeId } = await addVolume(store, { status: 'creating' });
    const operation = newOperation({ resourceId: volumeId });
    await operations.record(operation);
    const launchedAt = new Date('2026-01-31T12:00:00.123Z');
    const change = { volumeId, during: ['creating'], changes: { status: 'available', launchedAt } } as const;
    const state = async () => [(await operations.get(operation.id))?.state, (await volumes.get(volumeId))?.status];
    assert.equal(await operations.finishWithVolume(operation.id, 'w', change), false, 'nobody has claimed it');
    assert.deepEqual(await state(), ['queued', 'creating']);
    await operations.claim(operation.id, operation.owner, 'w');
    assert.equal(await operations.finishWithVolume(operation.id, 'old', change), false, 'another has it');
    const elsewhere = { ...change, during: ['deleting'] } as const;
    assert.equal(
      await operations.finishWithVolume(operation.id, 'w', elsewhere),
      false,
      'the row asks for no such work',
    );
    assert.deepEqual(await state(), ['running', 'creating']);
    assert.equal(await operations.finishWithVolume(operation.id, 'w', change), true);
    assert.deepEqual(await state(), ['done', 'available']);
    assert.deepEqual((await volumes.get(volumeId))?.launchedAt, launchedAt);
    assert.equal(await operations.finishWithVolume(operation.id, 'w', change), false, 'it ends once');
  });

  test('the end of a record waits for whoever changes its volume, and heeds what became of it', async () => {
    const store = storeOf();
    const { operations, volumes } = store;
    for (const status of ['error', 'creating'] as const) {
      const { id: volumeId } = await addVolume(store, { status: 'creating' });
      const operation = newOperation({ resourceId: volumeId });
      await operations.record(operation);
      await operations.claim(operation.id, operation.owner, 'w');
      const change = { volumeId, during: ['creating'], changes: { status: 'available' } } as const;
      const { ending } = await store.transaction(async (tx) => {
        await tx.volumes.updateIf(volumeId, {}, { status, displayName: 'changed' });
        return { ending: operations.finishWithVolume(operation.id, 'w', change) };
      });
      assert.equal(await ending, status === 'creating');
      const { status: now, displayName } = (await volumes.get(volumeId))!;
      assert.deepEqual([now, displayName], [status === 'creating' ? 'available' : 'error', 'changed']);
      assert.equal((await operations.get(operation.id))?.state, status === 'creating' ? 'done' : 'running');
    }
  });

  test('of many workers that claim an operation, one gets it', async () => {
    const store = storeOf();
    const operation = newOperation();
    await store.operations.record(operation);
    assert.equal(await store.operations.claim(operation.id, 'other@lvm', 'w'), null);
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, n) => store.operations.claim(operation.id, operation.owner, `worker-${n}`)),
    );
    const winners = claims.filter((claim) => claim !== null);
    assert.equal(winners.length, 1);
    assert.equal(winners[0]?.state, 'running');
    assert.equal(winners[0]?.attempt, 1);
    assert.ok(winners[0]?.startedAt instanceof Date);
  });

  test('the work of a dead worker is taken over, and the dead worker is fenced off', async () => {
    const store = storeOf();
    const { operations } = store;
    const operation = newOperation();
    await operations.record(operation);
    await operations.claim(operation.id, operation.owner, 'old');
    assert.equal(await operations.claim(operation.id, operation.owner, 'new'), null);
    const stolen = await operations.claim(operation.id, operation.owner, 'new', { steal: true });
    assert.equal(stolen?.attempt, 2);
    assert.equal(stolen?.worker, 'new');
    assert.equal(await operations.claim(operation.id, operation.owner, 'new', { steal: true }), null);
    assert.equal(await operations.finish(operation.id, 'old', { state: 'done' }), false);
    const kept = store.transaction(async (tx) => {
      if (!(await tx.operations.finish(operation.id, 'old', { state: 'done' }))) throw new Error('fenced');
    });
    await assert.rejects(kept, /fenced/);
    assert.equal(await operations.finish(operation.id, 'new', { state: 'done', result: { a: [1] } }), true);
    assert.equal(await operations.finish(operation.id, 'new', { state: 'done' }), false, 'it ends once');
    const ended = await operations.get(operation.id);
    assert.equal(ended?.state, 'done');
    assert.deepEqual(ended?.result, { a: [1] });
    assert.ok(ended?.finishedAt instanceof Date);
    assert.equal(await operations.claim(operation.id, operation.owner, 'next', { steal: true }), null);
  });

  test('an operation is handed on by the one who holds it', async () => {
    const { operations } = storeOf();
    const operation = newOperation({ owner: 'cinder-scheduler', arguments: { a: 1 } });
    await operations.record(operation);
    await operations.claim(operation.id, 'cinder-scheduler', 'w1');
    const from = { owner: 'cinder-scheduler', worker: 'w1' };
    assert.equal(await operations.handOver(operation.id, { ...from, worker: 'w2' }, 'node@lvm'), null);
    assert.equal(await operations.handOver(operation.id, { owner: 'cinder-scheduler' }, 'node@lvm'), null);
    const handed = await operations.handOver(operation.id, from, 'node@lvm', { arguments: { a: 2, host: 'h' } });
    assert.equal(handed?.owner, 'node@lvm');
    assert.equal(handed?.state, 'queued');
    assert.equal(handed?.worker, null);
    assert.deepEqual(handed?.arguments, { a: 2, host: 'h' });
    assert.equal(await operations.handOver(operation.id, from, 'node@lvm'), null);
    assert.equal(await operations.finish(operation.id, 'w1', { state: 'done' }), false);
    const back = await operations.handOver(operation.id, { owner: 'node@lvm' }, 'cinder-scheduler');
    assert.equal(back?.owner, 'cinder-scheduler');
    assert.deepEqual(back?.arguments, { a: 2, host: 'h' });
    assert.equal(await operations.finish(operation.id, null, { state: 'failed', code: 'Internal', error: 'x' }), true);
  });

  test('lists: what is unfinished oldest first, history newest first, failures of a project', async () => {
    const { operations } = storeOf();
    const [owner, resourceId, projectId] = [`${randomUUID()}@lvm`, randomUUID(), newProject()];
    const made = Array.from({ length: 5 }, () => newOperation({ owner, resourceId, projectId }));
    for (const operation of made) await operations.record(operation);
    const ids = idsOf(made);
    assert.deepEqual(idsOf(await operations.listUnfinished(owner, 10)), ids);
    assert.deepEqual(idsOf(await operations.listUnfinished(owner, 2)), ids.slice(0, 2));
    await operations.claim(ids[0]!, owner, 'w');
    assert.deepEqual(idsOf(await operations.listUnfinished(owner, 10)), ids, 'running is unfinished');
    await operations.finish(ids[0]!, 'w', { state: 'failed', code: 'BackendFull', error: 'no room' });
    await operations.finish(ids[1]!, null, { state: 'done' });
    assert.deepEqual(idsOf(await operations.listUnfinished(owner, 10)), ids.slice(2));
    assert.deepEqual(idsOf(await operations.history(resourceId, 3)), ids.slice(2).reverse());
    const [failed, ...others] = await operations.listFailed(projectId, { limit: 10 });
    assert.equal(others.length, 0);
    assert.equal(failed?.error, 'no room');
    assert.equal(failed?.errorCode, 'BackendFull');
    assert.deepEqual(await operations.listFailed(projectId, { limit: 10, resourceId: randomUUID() }), []);
    assert.deepEqual(idsOf(await operations.listFailed(null, { limit: 10, resourceId })), [ids[0]]);
  });

  test('prune removes old finished operations, no others, and no more than asked', async () => {
    const { operations } = storeOf();
    const owner = `${randomUUID()}@lvm`;
    const made = Array.from({ length: 3 }, () => newOperation({ owner }));
    for (const operation of made) await operations.record(operation);
    for (const { id } of made.slice(0, 2)) await operations.finish(id, null, { state: 'done' });
    assert.equal(await operations.prune(3600, 1000), 0);
    assert.equal(await operations.prune(-1, 1), 1);
    await operations.prune(-1, 1000);
    for (const { id } of made.slice(0, 2)) assert.equal(await operations.get(id), null);
    assert.equal((await operations.get(made[2]!.id))?.state, 'queued');
  });
}
