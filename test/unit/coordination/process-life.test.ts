import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOver, ownLife, readLife, startTicksOf } from '../../../src/coordination/process-life.ts';

const stat = (name: string, state: string) =>
  `4242 (${name}) ${state} 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3`;

test('the start is found behind any name', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      assert.equal(startTicksOf(stat(name, 'S')), 987654);
    }),
  );
});

test('one that only waits to be collected has ended', () => {
  assert.equal(startTicksOf(stat('node', 'Z')), null);
  assert.equal(startTicksOf(stat('node', 'X')), null);
  assert.equal(startTicksOf(''), null);
});

test('a life that goes on is not over; one that was killed is, and one of another boot is not known', async () => {
  const own = ownLife();
  assert.ok(own !== null);
  assert.equal(isOver(own), false);
  assert.equal(isOver({ ...own, startTicks: own.startTicks - 1 }), true, 'the pid is used by a later process');
  const child = spawn('sleep', ['30']);
  const start = startTicksOf((await import('node:fs')).readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
  const life = { ...own, pid: child.pid!, startTicks: start! };
  assert.equal(isOver(life), false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(isOver(life), true);
  assert.equal(isOver({ ...life, boot: 'another' }), false);
  assert.equal(isOver({ ...life, namespace: 'pid:[1]' }), false);
});

test('what stands in a lease is read, or is no life', () => {
  const own = ownLife();
  assert.deepEqual(readLife(JSON.stringify(own)), own);
  for (const text of ['', 'null', '{}', '{"boot":"a","namespace":"b","pid":"1","startTicks":1}', '[1', '"x"']) {
    assert.equal(readLife(text), null, text);
  }
});
