import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createLeasedLock, type LeasedLockOptions } from '../../../src/coordination/leased-lock.ts';
import { ownLife } from '../../../src/coordination/process-life.ts';
import { currentFlight, describeFlight, fly } from '../../../src/lib/flight.ts';
import { onMeasurement } from '../../../src/lib/measure.ts';
import { isFailure } from '../../../src/model/errors.ts';
import type { LeaseRecords } from '../../../src/model/lease.ts';
import { describeHolder } from '../../../src/service/report-text.ts';
import { eventually } from '../../support/node-process.ts';
import { silentLog } from '../../support/postgres.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const never = new AbortController().signal;

/** Rows by name; no lease runs out by itself, `expire` takes it from its holder. `away` makes taking fail. */
function recordsInMemory() {
  const rows = new Map<string, { holder: string; life: string; epoch: number }>();
  const state = { away: false };
  const records: LeaseRecords = {
    async take({ name, holder, life, over }) {
      if (state.away) throw new Error('no database');
      const row = rows.get(name);
      const isFree = row === undefined || row.holder === '' || row.holder === holder || row.holder === over;
      // Asked again after a millisecond.
      if (!isFree) return { kind: 'held', holder: row.holder, life: row.life, leftMs: 1 };
      const epoch = (row?.epoch ?? 0) + 1;
      rows.set(name, { holder, life, epoch });
      return { kind: 'taken', epoch };
    },
    async renew({ name, epoch }) {
      return rows.get(name)?.epoch === epoch;
    },
    async release({ name, epoch }) {
      const row = rows.get(name);
      if (row?.epoch === epoch) row.holder = '';
    },
  };
  const expire = (name: string) => {
    rows.get(name)!.holder = '';
  };
  const heldNames = () => [...rows].filter(([, { holder }]) => holder !== '').map(([name]) => name);
  return { records, state, rows, expire, heldNames };
}

function memberOf(records: LeaseRecords, member: string, more: Partial<LeasedLockOptions> = {}) {
  return createLeasedLock({ records, group: 'c@lvm', member, ttlMs: 60_000, log: silentLog, signal: never, ...more });
}

const isFenced = (what: string) => (error: unknown) => isFailure(error, 'Fenced') && error.message.includes(what);

describe('leased lock', { timeout: 60_000 }, () => {
  test('work under a key never overlaps among three members, everybody is served, and all is free at the end', async () => {
    const members = ['a', 'b', 'c'];
    const request = fc.record({
      member: fc.constantFrom(...members),
      keys: fc.uniqueArray(fc.constantFrom('k1', 'k2', 'k3'), { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 12 }), async (requests) => {
        const { records, heldNames } = recordsInMemory();
        const locks = new Map(members.map((member) => [member, memberOf(records, member)]));
        const busy = new Set<string>();
        let served = 0;
        await Promise.all(
          requests.map(({ member, keys }) =>
            locks.get(member)!.withKeys(keys, async (hold) => {
              for (const key of keys) {
                assert.ok(!busy.has(key), `${key} is held twice`);
                busy.add(key);
              }
              await new Promise((resolve) => setImmediate(resolve));
              hold.check();
              for (const key of keys) busy.delete(key);
              served += 1;
            }),
          ),
        );
        assert.equal(served, requests.length);
        assert.deepEqual(heldNames(), []);
        for (const lock of locks.values()) assert.equal(lock.held().size, 0);
      }),
      { numRuns: 30 },
    );
  });

  test('groups do not meet, and a group of any length fits the column', async () => {
    const { records, rows } = recordsInMemory();
    const group = 'x'.repeat(255);
    await memberOf(records, 'a').withKeys(['volume:v'], () =>
      memberOf(records, 'b', { group }).withKeys(['volume:v'], async () => {}),
    );
    const names = [...rows.keys()];
    assert.equal(names.length, 2);
    assert.ok(names.includes('c@lvm volume:v'));
    for (const name of names) assert.ok(name.length <= 255, name);
  });

  test('who waits for another member says so: in its flight, in the log, and how long it took', async () => {
    const { records } = recordsInMemory();
    const log = recorderLog();
    const kinds: string[] = [];
    const forget = onMeasurement((measured) => {
      if (measured.what === 'lock wait') kinds.push(measured.kind);
    });
    const gate = Promise.withResolvers<void>();
    const hold = fly({ id: 'first', service: 'node1@lvm' }, () => {
      describeFlight({ method: 'create_snapshot', resourceId: 'v', requestId: 'req-1' });
      return memberOf(records, 'node1@lvm').withKeys(['volume:v'], () => gate.promise);
    });
    const next = memberOf(records, 'node2@lvm', { log, sayAfterMs: 1 });
    const wait = fly({ id: 'second', service: 'node2@lvm' }, async () => {
      const flight = currentFlight()!;
      const done = next.withKeys(['volume:v'], async () => flight.waitsFor);
      const seen = await eventually('the wait', async () => flight.waitsFor ?? undefined);
      const said = await eventually('the line', async () => log.records.find(({ level }) => level === 'warn'));
      gate.resolve();
      return { seen: seen.holder()?.flight, lock: seen.lock, said, during: await done, after: flight.locks };
    });
    await hold;
    const { seen, lock, said, during, after } = await wait;
    forget();
    assert.equal(lock, 'volume:v');
    assert.deepEqual(
      [seen?.service, seen?.id, seen?.method, seen?.requestId],
      ['node1@lvm', 'first', 'create_snapshot', 'req-1'],
    );
    const { id: operation, method, requestId: request_id, step } = seen!;
    const text = describeHolder({ operation, method, request_id, step, held: 1 });
    assert.ok(text.includes('node1@lvm') && text.includes('create_snapshot'), text);
    assert.equal(said.fields.holder_service, 'node1@lvm');
    assert.equal(during, null, 'who has it waits no more');
    assert.deepEqual(after, []);
    assert.deepEqual(kinds, ['volume']);
  });

  test('a holder whose lease went to another is told at its next check, and frees nothing of the other', async () => {
    const { records, expire, heldNames } = recordsInMemory();
    const name = 'c@lvm volume:v';
    const other = Promise.withResolvers<void>();
    await memberOf(records, 'a', { ttlMs: 20 }).withKeys(['volume:v'], async (hold) => {
      hold.check();
      expire(name);
      const second = memberOf(records, 'b').withKeys(['volume:v'], () => other.promise);
      await eventually('the loss', async () => (hold.isHeld() ? undefined : true));
      assert.throws(() => hold.check(), isFenced('volume:v of the cluster c@lvm'));
      second.catch(() => {});
    });
    assert.deepEqual(heldNames(), [name], 'the second still has it');
    other.resolve();
    await eventually('the end', async () => (heldNames().length === 0 ? true : undefined));
  });

  test('what is left to run out is not free for anybody, this member included', async () => {
    const { records, heldNames, expire } = recordsInMemory();
    const a = memberOf(records, 'a');
    await a.withKeys(['volume:v'], async (hold) => hold.leaveToRunOut());
    assert.deepEqual(heldNames(), ['c@lvm volume:v']);
    let isServed = false;
    const again = a.withKeys(['volume:v'], async () => {
      isServed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isServed, false);
    expire('c@lvm volume:v');
    await again;
  });

  test('a member that was killed is followed at once', async () => {
    const { records } = recordsInMemory();
    const life = JSON.stringify({ ...ownLife(), startTicks: 1, service: 'dead' });
    await records.take({ name: 'c@lvm volume:v', holder: 'dead', life, ttlMs: 1e9, over: null });
    assert.equal(await memberOf(records, 'b').withKeys(['volume:v'], async () => 'done'), 'done');
  });

  test('a failure of the work, a stop while waiting and a database that is away leave nothing held', async () => {
    const { records, state, heldNames } = recordsInMemory();
    const a = memberOf(records, 'a');
    const broken = a.withKeys(['k1', 'k2'], async () => {
      throw new Error('broken');
    });
    await assert.rejects(broken, /broken/);
    assert.deepEqual(heldNames(), []);

    await records.take({ name: 'c@lvm k2', holder: 'other', life: 'no life', ttlMs: 1e9, over: null });
    const stopping = new AbortController();
    const b = memberOf(records, 'b', { signal: stopping.signal });
    const waiting = b.withKeys(['k1', 'k2'], async () => assert.fail('not its own'));
    await eventually('the first key', async () => (heldNames().length === 2 ? true : undefined));
    stopping.abort();
    await assert.rejects(waiting, isFenced('k2'));
    assert.deepEqual(heldNames(), ['c@lvm k2']);
    assert.equal(b.held().size, 0);

    state.away = true;
    await assert.rejects(
      a.withKeys(['k1'], async () => assert.fail('not its own')),
      /no database/,
    );
    state.away = false;
    assert.equal(await a.withKeys(['k1'], async () => 'served'), 'served');
  });
});
