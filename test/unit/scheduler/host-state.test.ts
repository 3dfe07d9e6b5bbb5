import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHostStates } from '../../../src/scheduler/host-state.ts';
import { allocatedGb, currentCapabilities, provisionedGb, volumeCount } from '../../../src/scheduler/pool-state.ts';
import { poolState, readReport, reservation, wireReport } from './support.ts';

function report(seconds: number, pool: Record<string, unknown> = {}, host = 'node@lvm') {
  const timestamp = new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString().replace('Z', '');
  return readReport(wireReport(pool, { host, timestamp }));
}

describe('host states', () => {
  it('take the newest report and ignore an older one', () => {
    const states = createHostStates({ now: () => 0 });
    assert.equal(states.ready, false);
    assert.equal(states.receive(report(10, { free_capacity_gb: 10 })), 'taken');
    assert.equal(states.receive(report(9, { free_capacity_gb: 9 })), 'older');
    assert.deepEqual(states.pools()[0]!.stats.free, { kind: 'known', gb: 10 });
    assert.equal(states.receive(report(11, { free_capacity_gb: 11 })), 'taken');
    assert.deepEqual(states.pools()[0]!.stats.free, { kind: 'known', gb: 11 });
    assert.equal(states.ready, true);
  });

  it('believe a backend again whose clock was set back, after a while without an acceptable report', () => {
    let now = 0;
    const states = createHostStates({ now: () => now });
    states.receive(report(1000));
    now = 60_000;
    assert.equal(states.receive(report(10)), 'older');
    now = 120_000;
    assert.equal(states.receive(report(20)), 'taken');
  });

  it('keep backends apart, and forget pools that a backend no longer reports', () => {
    const states = createHostStates({ now: () => 0 });
    states.receive(report(1, { pool_name: 'a' }, 'one@lvm'));
    states.receive(report(1, { pool_name: 'b' }, 'two@lvm'));
    states.receive(report(2, { pool_name: 'c' }, 'one@lvm'));
    assert.deepEqual(
      states
        .pools()
        .map(({ name }) => name)
        .toSorted(),
      ['one@lvm#c', 'two@lvm#b'],
    );
    assert.equal(states.hasReported('two@lvm'), true);
    assert.equal(states.hasReported('three@lvm'), false);
  });

  it('say why a backend has no pools', () => {
    const states = createHostStates({ now: () => 0 });
    const down = { backend_state: 'down', down_reason: 'no volume group', pools: [] };
    states.receive(readReport(wireReport({}, { host: 'down@lvm', capabilities: down })));
    states.receive(readReport(wireReport({}, { host: 'empty@lvm', capabilities: { pools: [] } })));
    assert.equal(states.whyWithoutPools('down@lvm'), 'reports its backend as down: no volume group');
    assert.equal(states.whyWithoutPools('empty@lvm'), 'reports no such pool');
    assert.equal(states.whyWithoutPools('silent@lvm'), 'has not reported yet');
  });

  it('find the pool that a host names, or the only one of its backend', () => {
    const states = createHostStates({ now: () => 0 });
    states.receive(report(1));
    assert.equal(states.find('node@lvm#pool0')?.name, 'node@lvm#pool0');
    assert.equal(states.find('node@lvm')?.name, 'node@lvm#pool0');
    assert.equal(states.find('node@lvm#other'), null);
    assert.equal(states.find('other@lvm'), null);
  });

  it('keep a promise over reports until it is taken back', () => {
    const states = createHostStates({ now: () => 0 });
    states.receive(report(1));
    states.reserve(reservation('op', 30));
    states.receive(report(2));
    assert.equal(currentCapabilities(states.pools()[0]!).free_capacity_gb, 70);
    states.reserve(reservation('op', 40));
    assert.equal(currentCapabilities(states.pools()[0]!).free_capacity_gb, 60);
    assert.deepEqual(
      states.reservations('node@lvm').map(({ gb }) => gb),
      [40],
    );
    assert.deepEqual(states.reservations('other@lvm'), []);
    states.release('op');
    assert.equal(currentCapabilities(states.pools()[0]!).free_capacity_gb, 100);
  });
});

describe('pool state', () => {
  it('counts what was placed before the report only where the backend measures it', () => {
    const states = createHostStates({ now: () => 0 });
    const words = { allocated_capacity_gb: 10, provisioned_capacity_gb: 10, total_volumes: 1 };
    states.receive(report(10, words));
    const reportedAtMs = states.pools()[0]!.reportedAtMs;
    states.reserve({ ...reservation('before', 3), placedAtMs: reportedAtMs - 1 });
    states.reserve({ ...reservation('after', 4), placedAtMs: reportedAtMs + 1 });
    const pool = states.pools()[0]!;
    assert.equal(allocatedGb(pool), 14);
    assert.equal(volumeCount(pool), 2);
    assert.equal(provisionedGb(pool), 17);
    const capabilities = currentCapabilities(pool);
    assert.equal(capabilities.allocated_capacity_gb, 14);
    assert.equal(capabilities.provisioned_capacity_gb, 17);
    assert.equal(capabilities.total_volumes, 2);
    assert.equal(capabilities.free_capacity_gb, 93);
  });

  it('does not take a thin volume off the physical free space, and never shows less than none', () => {
    assert.equal(currentCapabilities(poolState({ thin_provisioning_support: true }, [30])).free_capacity_gb, 100);
    assert.equal(currentCapabilities(poolState({ free_capacity_gb: 5 }, [30])).free_capacity_gb, 0);
    assert.equal(currentCapabilities(poolState({ free_capacity_gb: 'infinite' }, [30])).free_capacity_gb, 'infinite');
  });
});
