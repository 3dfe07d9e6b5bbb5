import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoom } from '../../../../../drivers/volume/file/room.ts';
import { isFailure } from '../../../../../src/model/errors.ts';

const GIB = 1024 ** 3;

function roomOf(capacityGb: number | null) {
  const files = new Map<string, number>();
  const room = createRoom({
    capacityGb,
    list: async () => [...files].map(([name, sizeBytes]) => ({ name, sizeBytes })),
  });
  const add = (name: string, sizeGb: number, work = async () => {}) =>
    room.within({ name, sizeBytes: sizeGb * GIB }, async () => {
      await work();
      files.set(name, sizeGb * GIB);
    });
  return { add };
}

test('what is under way counts, once, and no more when it has failed', async () => {
  const { add } = roomOf(10);
  let finish = (_: Error | undefined) => {};
  const slow = add(
    'a',
    6,
    () =>
      new Promise((resolve, reject) => {
        finish = (error) => (error === undefined ? resolve() : reject(error));
      }),
  );
  await assert.rejects(add('b', 5), (error) => isFailure(error, 'BackendFull') && error.message.includes('4 GiB free'));
  finish(new Error('broken'));
  await assert.rejects(slow, /broken/);
  await add('b', 5);
  await add('c', 5);
});

test('growing needs only the difference', async () => {
  const { add } = roomOf(10);
  await add('a', 6);
  await add('a', 10);
  await assert.rejects(add('a', 11), (error) => isFailure(error, 'BackendFull'));
});

test('without a cap everything fits', async () => {
  await roomOf(null).add('a', 1e12);
});
