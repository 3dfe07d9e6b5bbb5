import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseWireTime, readCapabilityReport } from '../../../src/scheduler/capability-report.ts';
import { headroom } from '../../../src/scheduler/pool-state.ts';
import { poolState, readReport, wireReport } from './support.ts';

describe('capability report', () => {
  it('reads pools, inherits the words of the backend, keeps the time', () => {
    const report = readReport(wireReport({ free_capacity_gb: '12.5', max_over_subscription_ratio: '1.5' }));
    assert.equal(report.serviceHost, 'node@lvm');
    assert.equal(report.reportedAtMs, Date.UTC(2026, 10, 20, 18, 29, 37, 797));
    const pool = report.pools[0]!;
    assert.deepEqual(pool.stats.total, { kind: 'known', gb: 100 });
    assert.deepEqual(pool.stats.free, { kind: 'known', gb: 12.5 });
    assert.equal(pool.stats.maxOverSubscriptionRatio, 1.5);
    assert.equal(pool.capabilities.vendor_name, 'Ashlar');
    assert.deepEqual(pool.capabilities.storage_protocol, ['iSCSI', 'iscsi']);
  });

  it('takes a report without pools as one pool named after the backend', () => {
    const capabilities = { volume_backend_name: 'old', total_capacity_gb: 'infinite', free_capacity_gb: 'unknown' };
    const report = readReport(wireReport({}, { capabilities }));
    assert.equal(report.pools.length, 1);
    assert.equal(report.pools[0]!.stats.name, 'old');
    assert.deepEqual(report.pools[0]!.stats.total, { kind: 'infinite' });
    assert.deepEqual(report.pools[0]!.stats.free, { kind: 'unknown' });
  });

  it('takes a backend with an empty list as one without pools', () => {
    assert.deepEqual(readReport(wireReport({}, { capabilities: { pools: [] } })).pools, []);
  });

  it('is down where the pool or its backend says so', () => {
    assert.equal(poolState({ backend_state: 'down' }).backendState, 'down');
    const capabilities = { backend_state: 'down', pools: [{ pool_name: 'p', backend_state: 'up' }] };
    assert.equal(readReport(wireReport({}, { capabilities })).pools[0]!.backendState, 'down');
  });

  it('is not taken from another kind of service, without a host, or as something else', () => {
    assert.equal(readCapabilityReport(wireReport({}, { service_name: 'backup' })), null);
    assert.equal(readCapabilityReport(wireReport({}, { host: '' })), null);
    for (const value of [null, undefined, 'text', 5, [], { host: 'node@lvm', capabilities: [] }]) {
      assert.equal(readCapabilityReport(value), null);
    }
  });

  it('reads times with and without a zone', () => {
    assert.equal(parseWireTime('2026-11-20T18:29:37.797086'), parseWireTime('2026-11-20T19:29:37.797086+01:00'));
    assert.equal(parseWireTime('2026-11-20T18:29:37Z'), Date.UTC(2026, 10, 20, 18, 29, 37));
    assert.equal(parseWireTime('yesterday'), null);
    assert.equal(parseWireTime('2026-99-99T18:29:37'), null);
  });

  it('never makes a capacity that is no number, whatever a backend sends', () => {
    const word = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom('infinite', 'unknown', 'auto', '20.0', '', 'NaN', null, true, undefined),
      fc.string(),
    );
    const pool = fc.record({
      total_capacity_gb: word,
      free_capacity_gb: word,
      allocated_capacity_gb: word,
      provisioned_capacity_gb: word,
      reserved_percentage: word,
      max_over_subscription_ratio: word,
      thin_provisioning_support: fc.oneof(fc.boolean(), word),
      total_volumes: word,
    });
    fc.assert(
      fc.property(pool, fc.array(fc.nat(1000)), (words, promised) => {
        const state = poolState(words, promised);
        for (const thin of [true, false]) {
          const room = headroom(state, thin);
          assert.ok(room.kind !== 'known' || room.gb >= 0, JSON.stringify(room));
        }
      }),
    );
  });
});
