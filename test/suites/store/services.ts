import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreOf } from './rows.ts';

function registration(host: string) {
  return {
    host,
    binary: 'cinder-volume',
    topic: 'cinder-volume',
    availabilityZone: 'nova',
    rpcCurrentVersion: '3.16',
    objectCurrentVersion: '1.39',
    disabledOnCreate: false,
  };
}

export function serviceCases(storeOf: StoreOf): void {
  test('of several that register the same service, all get the one row', async () => {
    const store = storeOf();
    const host = `${randomUUID()}@lvm`;
    const rows = await Promise.all(Array.from({ length: 6 }, () => store.services.register(registration(host))));
    assert.equal(new Set(rows.map((row) => row.id)).size, 1);
    assert.equal((await store.services.list({ host })).length, 1);
    assert.match(rows[0]!.uuid, /^[0-9a-f-]{36}$/);
  });

  test('a restart takes the row over: the count goes on, the operator’s decision stays', async () => {
    const store = storeOf();
    const host = `${randomUUID()}@lvm`;
    const first = await store.services.register(registration(host));
    await store.services.heartbeat(first.id);
    await store.services.heartbeat(first.id);
    await store.services.setDisabled(first.id, true, 'maintenance');
    await store.services.setFrozen(first.id, true);
    const again = await store.services.register({ ...registration(host), availabilityZone: 'az2' });
    assert.equal(again.id, first.id);
    assert.equal(again.uuid, first.uuid);
    assert.equal(again.reportCount, 2);
    assert.equal(again.availabilityZone, 'az2');
    assert.equal(again.disabled, true);
    assert.equal(again.disabledReason, 'maintenance');
    assert.equal(again.frozen, true);
    assert.equal((await store.services.get(host, 'cinder-volume'))?.id, first.id);
    assert.equal(await store.services.get(host, 'cinder-backup'), null);
    assert.equal(await store.services.heartbeat(2_000_000_000), false);
    assert.equal(await store.services.setDisabled(2_000_000_000, true, null), null);
  });

  test('only a sign of life makes the heartbeat younger', async () => {
    const store = storeOf();
    const host = `${randomUUID()}@lvm`;
    const { id, heartbeatAgeSeconds } = await store.services.register(registration(host));
    assert.ok(heartbeatAgeSeconds >= 0 && heartbeatAgeSeconds < 60, `${heartbeatAgeSeconds}`);
    const before = (await store.services.get(host, 'cinder-volume'))!;
    await sleep(20);
    const disabled = (await store.services.setDisabled(id, true, 'x'))!;
    assert.deepEqual(disabled.updatedAt, before.updatedAt);
    assert.ok(disabled.heartbeatAgeSeconds > before.heartbeatAgeSeconds);
    assert.equal(await store.services.heartbeat(id), true);
    const after = (await store.services.get(host, 'cinder-volume'))!;
    assert.ok(after.updatedAt!.getTime() > before.updatedAt!.getTime());
    assert.equal(after.reportCount, before.reportCount + 1);
  });

  test('a service may start disabled, once', async () => {
    const store = storeOf();
    const host = `${randomUUID()}@lvm`;
    const service = await store.services.register({ ...registration(host), disabledOnCreate: true });
    assert.equal(service.disabled, true);
    await store.services.setDisabled(service.id, false, null);
    const again = await store.services.register({ ...registration(host), disabledOnCreate: true });
    assert.equal(again.disabled, false);
  });
}
