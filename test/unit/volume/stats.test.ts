import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backendStats, parseOverSubscription, statsToWire } from '../../../src/volume/stats.ts';

const pool = {
  name: 'p',
  total: { kind: 'known', gb: 100 },
  free: { kind: 'known', gb: 75 },
  provisionedGb: 50,
  thinProvisioning: true,
  thickProvisioning: false,
  totalVolumes: 3,
  extra: {},
} as const;
const input = {
  volumeBackendName: 'b',
  storageProtocol: 'iSCSI',
  reservedPercentage: 5,
  maxOverSubscriptionRatio: 20,
  serviceHost: 'node@lvm',
  allocated: [
    { host: 'node@lvm#p', sizeGb: 7, count: 2 },
    { host: 'node@lvm#other', sizeGb: 90, count: 9 },
  ],
} as const;
const driver = { vendorName: 'v', driverVersion: '1', pools: [pool] };

test("allocated capacity is the database's sum of that very pool", () => {
  const wire = statsToWire(backendStats(driver, input)) as { pools: Record<string, unknown>[] };
  assert.equal(wire.pools[0]!.allocated_capacity_gb, 7);
  assert.equal(wire.pools[0]!.total_volumes, 2);
  assert.equal(wire.pools[0]!.free_capacity_gb, 75);
  assert.equal(wire.pools[0]!.max_over_subscription_ratio, '20');
});

test('infinite and unknown keep their words on the wire', () => {
  const odd = { ...driver, pools: [{ ...pool, total: { kind: 'infinite' }, free: { kind: 'unknown' } } as const] };
  const wire = statsToWire(backendStats(odd, input)) as { pools: Record<string, unknown>[] };
  assert.equal(wire.pools[0]!.total_capacity_gb, 'infinite');
  assert.equal(wire.pools[0]!.free_capacity_gb, 'unknown');
});

test('auto over-subscription stays between 1 and 20 whatever the pool says', () => {
  const auto = { ...input, maxOverSubscriptionRatio: 'auto' } as const;
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      (free, provisioned) => {
        const measured = {
          ...pool,
          free: { kind: 'known', gb: Math.min(100, free) },
          provisionedGb: provisioned,
        } as const;
        const [stats] = backendStats({ ...driver, pools: [measured] }, auto).pools;
        assert.ok(stats!.maxOverSubscriptionRatio >= 1 && stats!.maxOverSubscriptionRatio <= 20);
      },
    ),
  );
  assert.equal(backendStats(driver, auto).pools[0]!.maxOverSubscriptionRatio, 2);
});

test('max_over_subscription_ratio is a number of 1 or more, or auto', () => {
  assert.deepEqual(['20.0', 'auto', ' 1 ', '0.5', '', 'x', '-3'].map(parseOverSubscription), [
    20,
    'auto',
    1,
    null,
    null,
    null,
    null,
  ]);
});
