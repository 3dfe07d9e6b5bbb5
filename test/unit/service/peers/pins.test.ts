import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../../src/model/errors.ts';
import type { Service } from '../../../../src/model/service.ts';
import { createPins } from '../../../../src/service/peers/pins.ts';

function bed() {
  const rows: Partial<Service>[] = [];
  let nowMs = 0;
  let looks = 0;
  const list = async () => {
    looks += 1;
    return rows as Service[];
  };
  const pins = createPins({ services: { list } } as never, () => nowMs);
  const add = (host: string, rpcCurrentVersion: string | null, objectCurrentVersion: string | null = '1.39') =>
    rows.push({ host, rpcCurrentVersion, objectCurrentVersion });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { pins, add, rows, looks: () => looks, pass };
}

test('the oldest of a mixed deployment decides, and ours where nobody is there', async () => {
  const { pins, add } = bed();
  assert.deepEqual(await pins.of('cinder-scheduler'), { rpcVersion: '3.12', objectHistory: '1.39' });
  add('a', '3.18');
  add('b', '3.16', '1.38');
  add('c', '3.99', '1.40');
  assert.deepEqual(await pins.of('cinder-volume'), { rpcVersion: '3.16', objectHistory: '1.38' });
});

test('a look is believed for a minute, or until a version was refused', async () => {
  const { pins, add, looks, pass } = bed();
  await pins.of('cinder-volume');
  add('a', '3.16');
  assert.equal((await pins.of('cinder-volume')).rpcVersion, '3.18');
  pins.forget();
  assert.equal((await pins.of('cinder-volume')).rpcVersion, '3.16');
  pass(59_000);
  await pins.of('cinder-volume');
  assert.equal(looks(), 2);
  pass(1000);
  await pins.of('cinder-volume');
  assert.equal(looks(), 3);
});

test('a service that is too old is named', async () => {
  for (const version of ['2.9', 'x', null]) {
    const { pins, add } = bed();
    add('old-node@lvm', version);
    await assert.rejects(
      pins.of('cinder-volume'),
      (error) => isFailure(error, 'ServiceUnavailable') && /old-node@lvm/.test(error.message),
    );
  }
});
