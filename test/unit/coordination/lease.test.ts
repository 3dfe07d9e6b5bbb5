import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { acquireLease, createFence, type LeaseOptions } from '../../../src/coordination/lease.ts';
import { ownLife } from '../../../src/coordination/process-life.ts';
import { sleep } from '../../../src/lib/timers.ts';
import { isFailure } from '../../../src/model/errors.ts';
import type { LeaseRecords } from '../../../src/model/lease.ts';
import { silentLog } from '../../support/postgres.ts';

/** One row, and its own clock; `away` makes every statement fail. */
function recordsInMemory() {
  let row = { holder: '', life: '', epoch: 0, untilMs: 0 };
  const state = { away: false, nowMs: 0 };
  const present = () => {
    if (state.away) throw new Error('no database');
  };
  const records: LeaseRecords = {
    async take({ holder, life, ttlMs, over }) {
      present();
      const isFree = row.untilMs <= state.nowMs || row.holder === holder || row.holder === over;
      if (!isFree) return { kind: 'held', holder: row.holder, life: row.life, leftMs: row.untilMs - state.nowMs };
      row = { holder, life, epoch: row.epoch + 1, untilMs: state.nowMs + ttlMs };
      return { kind: 'taken', epoch: row.epoch };
    },
    async renew({ epoch, ttlMs }) {
      present();
      if (row.epoch !== epoch) return false;
      row.untilMs = state.nowMs + ttlMs;
      return true;
    },
    async release({ epoch }) {
      present();
      if (row.epoch === epoch) row = { ...row, holder: '', untilMs: state.nowMs };
    },
  };
  return { records, state };
}

function optionsFor(records: LeaseRecords, holder: string, more: Partial<LeaseOptions> = {}): LeaseOptions {
  const signal = new AbortController().signal;
  return { records, name: 'n', holder, life: 'unknown', ttlMs: 40, log: silentLog, signal, ...more };
}

describe('lease', { timeout: 20_000 }, () => {
  test('one has it; it is renewed; given back, the next has it at a later epoch', async () => {
    const { records, state } = recordsInMemory();
    const first = (await acquireLease(optionsFor(records, 'a')))!;
    assert.equal(first.isHeld(), true);
    const waited: string[] = [];
    const next = acquireLease(optionsFor(records, 'b', { onWait: ({ holder }) => waited.push(holder) }));
    state.nowMs = 30;
    while (waited.length < 3) await sleep(5);
    assert.deepEqual(new Set(waited), new Set(['a']));
    await first.release();
    assert.equal(first.isHeld(), false);
    const second = (await next)!;
    assert.ok(second.epoch > first.epoch);
    await second.release();
  });

  test('a holder who could not renew in time may not act, and may again once renewed', async () => {
    const { records, state } = recordsInMemory();
    let nowMs = 0;
    const lease = (await acquireLease(optionsFor(records, 'a', { clock: { now: () => nowMs } })))!;
    state.away = true;
    nowMs = 39;
    assert.equal(lease.isHeld(), true);
    nowMs = 40;
    assert.equal(lease.isHeld(), false, 'as long as the lease, and no longer');
    state.away = false;
    while (!lease.isHeld()) await sleep(2);
    await lease.release();
  });

  test('one that was taken over hears of it and never acts again', async () => {
    const { records, state } = recordsInMemory();
    const first = (await acquireLease(optionsFor(records, 'a')))!;
    state.nowMs = 1000;
    const second = (await acquireLease(optionsFor(records, 'b')))!;
    await first.lost;
    assert.equal(first.isHeld(), false);
    await first.release();
    assert.equal(second.isHeld(), true, 'giving back what is another one’s does nothing');
    await second.release();
  });

  test('a holder that is known to have ended is followed at once', async () => {
    const { records } = recordsInMemory();
    const life = JSON.stringify({ ...ownLife(), startTicks: 1 });
    await records.take({ name: 'n', holder: 'dead', life, ttlMs: 1e9, over: null });
    const lease = await acquireLease(optionsFor(records, 'b'));
    assert.equal(lease?.epoch, 2);
    await lease?.release();
  });

  test('the wait ends with its signal', async () => {
    const { records } = recordsInMemory();
    await records.take({ name: 'n', holder: 'other', life: '', ttlMs: 1e9, over: null });
    const stopping = new AbortController();
    const waiting = acquireLease(optionsFor(records, 'b', { signal: stopping.signal }));
    stopping.abort();
    assert.equal(await waiting, null);
  });

  test('a fence is closed until a lease opens it, and says of what', async () => {
    const { records } = recordsInMemory();
    const fence = createFence('node@lvm');
    const isFenced = (error: unknown) => isFailure(error, 'Fenced') && error.message.includes('node@lvm');
    assert.throws(() => fence.check(), isFenced);
    const lease = (await acquireLease(optionsFor(records, 'a')))!;
    fence.guardBy(lease);
    fence.check();
    await lease.release();
    assert.throws(() => fence.check(), isFenced);
  });
});
