import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLeasedLock } from '../../../src/coordination/leased-lock.ts';
import { openDatabase } from '../../../src/db/connection.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import type { Store } from '../../../src/db/store.ts';
import { currentFlight, fly } from '../../../src/lib/flight.ts';
import { GROUP, KEY, type MemberOrder } from '../../support/leased-lock-member.ts';
import { eventually } from '../../support/node-process.ts';
import { silentLog, startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

const program = fileURLToPath(new URL('../../support/leased-lock-member.ts', import.meta.url));
const children: ChildProcess[] = [];
let postgres: TestPostgres;
let connection: Awaited<ReturnType<TestPostgres['migratedDatabase']>>;
let store: Store;

before(async () => {
  postgres = await startTestPostgres();
  connection = await postgres.migratedDatabase();
  store = createStore(openDatabase({ connection }));
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await store.close();
  await postgres.stop();
});

function member(name: string, ttlMs = 60_000) {
  const signal = new AbortController().signal;
  return createLeasedLock({ records: store.leases, group: GROUP, member: name, ttlMs, log: silentLog, signal });
}

/** A member as a process, which holds the key when this resolves. */
async function holderProcess(name: string, ttlMs: number): Promise<ChildProcess> {
  const child = fork(program, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  const held = once(child, 'message');
  child.send({ connection, member: name, ttlMs } satisfies MemberOrder);
  assert.deepEqual((await held)[0], 'held');
  return child;
}

describe('leased lock on PostgreSQL', { timeout: 60_000 }, () => {
  test('three members, several callers each: one at a time, and each of them is served', async () => {
    const served: string[] = [];
    let busy = 0;
    await Promise.all(
      ['a', 'b', 'c'].flatMap((name) => {
        const lock = member(name);
        return [1, 2, 3].map((round) =>
          lock.withKeys([KEY, 'volume:w'], async (hold) => {
            busy += 1;
            assert.equal(busy, 1);
            await new Promise((resolve) => setTimeout(resolve, 5));
            hold.check();
            busy -= 1;
            served.push(`${name}${round}`);
          }),
        );
      }),
    );
    assert.equal(new Set(served).size, 9);
  });

  test('kill -9 of a holder: the next has the key although the lease has long to run', async () => {
    const child = await holderProcess('killed@lvm', 3_600_000);
    const waitsFor: string[] = [];
    const next = fly({ id: 'next', service: 'b@lvm' }, async () => {
      const flight = currentFlight()!;
      const done = member('b@lvm').withKeys([KEY], async () => 'served');
      const wait = await eventually('the wait', async () => flight.waitsFor ?? undefined);
      waitsFor.push(wait.holder()!.flight!.service);
      child.kill('SIGKILL');
      return await done;
    });
    assert.equal(await next, 'served');
    assert.deepEqual(waitsFor, ['killed@lvm']);
  });

  test('a holder that is stopped loses the key when its time is over, and knows it as soon as it goes on', async () => {
    const child = await holderProcess('stopped@lvm', 1000);
    child.kill('SIGSTOP');
    const answer = await member('b@lvm').withKeys([KEY], async (hold) => {
      const said = once(child, 'message');
      child.send('check');
      child.kill('SIGCONT');
      const [code] = await said;
      hold.check();
      return code;
    });
    assert.equal(answer, 'Fenced');
  });
});
