import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreOf } from './rows.ts';

export function leaseCases(storeOf: StoreOf): void {
  const request = (name: string, holder: string, ttlMs = 60_000) => ({ name, holder, life: 'l', ttlMs, over: null });

  test('of several that want a lease one has it, and the others hear who', async () => {
    const { leases } = storeOf();
    const name = randomUUID();
    const takings = await Promise.all(
      Array.from({ length: 6 }, (_, index) => leases.take(request(name, `holder-${index}`))),
    );
    const taken = takings.filter(({ kind }) => kind === 'taken');
    assert.equal(taken.length, 1);
    const later = await leases.take(request(name, 'late'));
    assert.ok(later.kind === 'held' && later.holder.startsWith('holder-') && later.life === 'l');
    assert.ok(later.leftMs > 50_000 && later.leftMs <= 60_000, String(later.leftMs));
  });

  test('its holder takes it anew; one that ran out is taken by another, and then the first renews in vain', async () => {
    const { leases } = storeOf();
    const name = randomUUID();
    assert.deepEqual(await leases.take(request(name, 'a')), { kind: 'taken', epoch: 1 });
    assert.deepEqual(await leases.take(request(name, 'a', 1)), { kind: 'taken', epoch: 2 });
    await sleep(20);
    assert.equal(await leases.renew({ name, epoch: 2, ttlMs: 1 }), true, 'nobody took it, so it is renewed');
    await sleep(20);
    assert.deepEqual(await leases.take(request(name, 'b')), { kind: 'taken', epoch: 3 });
    assert.equal(await leases.renew({ name, epoch: 2, ttlMs: 60_000 }), false);
    await leases.release({ name, epoch: 2 });
    assert.equal((await leases.take(request(name, 'a'))).kind, 'held', 'what is another one’s is not given back');
  });

  test('given back, it is free at once, and the epoch counts on; so it is from a holder that has ended', async () => {
    const { leases } = storeOf();
    const name = randomUUID();
    await leases.take(request(name, 'a'));
    await leases.release({ name, epoch: 1 });
    assert.deepEqual(await leases.take(request(name, 'b')), { kind: 'taken', epoch: 2 });
    assert.equal((await leases.take({ ...request(name, 'c'), over: 'a' })).kind, 'held');
    assert.deepEqual(await leases.take({ ...request(name, 'c'), over: 'b' }), { kind: 'taken', epoch: 3 });
  });
}
