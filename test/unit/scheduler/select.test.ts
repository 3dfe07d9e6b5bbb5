import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Service } from '../../../src/model/service.ts';
import { filtersByName } from '../../../src/scheduler/filters/index.ts';
import { createHostStates } from '../../../src/scheduler/host-state.ts';
import { createRules } from '../../../src/scheduler/operations/create-volume.ts';
import { headroom, isThin, type PoolState } from '../../../src/scheduler/pool-state.ts';
import { type Fleet, score, select, withMultipliers } from '../../../src/scheduler/select.ts';
import { weighersByName } from '../../../src/scheduler/weighers/index.ts';
import { defaultOptions, poolState, readReport, request, service, wireReport } from './support.ts';

const rules = createRules(defaultOptions);

function fleetOf(pools: readonly PoolState[], services: readonly Service[]): Fleet {
  return { pools, services, whyWithoutPools: () => 'has not reported yet' };
}

function hostOf(number: number): string {
  return `node${String(number).padStart(2, '0')}@lvm`;
}

describe('selection', () => {
  it('takes the pool with the most room', () => {
    const pools = [40, 90, 60].map((free, index) => poolState({ free_capacity_gb: free }, [], hostOf(index)));
    const services = pools.map((pool) => service({ host: pool.serviceHost }));
    const selection = select(request(), fleetOf(pools, services), rules);
    assert.equal('chosen' in selection && selection.chosen.name, 'node01@lvm#pool0');
  });

  it('says for each pool which filter refused it and why', () => {
    const pools = [
      poolState({ free_capacity_gb: 3 }, [], 'a@lvm'),
      poolState({}, [], 'b@lvm'),
      poolState({}, [], 'c@lvm'),
      poolState({}, [], 'gone@lvm'),
    ];
    const services = [
      service({ host: 'a@lvm' }),
      service({ host: 'b@lvm', availabilityZone: 'east' }),
      service({ host: 'c@lvm', disabled: true }),
      service({ host: 'silent@lvm' }),
      service({ host: 'late@lvm', heartbeatAgeSeconds: 200 }),
    ];
    const selection = select(request({ availabilityZone: 'nova' }), fleetOf(pools, services), rules);
    assert.deepEqual('refused' in selection && selection.refused, [
      { pool: 'a@lvm#pool0', filter: 'CapacityFilter', reason: 'has 3.0 GiB free, 10 GiB asked for' },
      { pool: 'b@lvm#pool0', filter: 'AvailabilityZoneFilter', reason: 'is in zone east, nova asked for' },
      { pool: 'c@lvm#pool0', filter: 'BackendStateFilter', reason: 'is disabled' },
      { pool: 'gone@lvm#pool0', filter: 'BackendStateFilter', reason: 'has no service record any more' },
      {
        pool: 'late@lvm',
        filter: 'BackendStateFilter',
        reason: 'its service is down, the last heartbeat was 200 s ago',
      },
      { pool: 'silent@lvm', filter: 'BackendStateFilter', reason: 'has not reported yet' },
    ]);
  });
});

const poolWords = fc.record({
  total_capacity_gb: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.constantFrom('infinite', 'unknown')),
  free_capacity_gb: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.constantFrom('infinite', 'unknown')),
  provisioned_capacity_gb: fc.nat(1000),
  allocated_capacity_gb: fc.nat(1000),
  total_volumes: fc.nat(50),
  reserved_percentage: fc.nat(100),
  max_over_subscription_ratio: fc.constantFrom('1.0', '2.5', '20.0', 'auto'),
  thin_provisioning_support: fc.boolean(),
  backend_state: fc.constantFrom('up', 'up', 'up', 'down'),
});
const serviceChanges = fc.record({
  disabled: fc.boolean(),
  availabilityZone: fc.constantFrom('nova', 'east'),
  heartbeatAgeSeconds: fc.constantFrom(1, 1, 1, 100),
});
const fleet = fc.array(fc.tuple(poolWords, serviceChanges), { maxLength: 8 }).map((entries) => ({
  pools: entries.map(([words], index) => poolState(words, [], hostOf(index))),
  services: entries.map(([, changes], index) => service({ host: hostOf(index), ...changes })),
}));
const asked = fc.record({
  sizeGb: fc.integer({ min: 1, max: 200 }),
  availabilityZone: fc.constantFrom(null, 'nova'),
  extraSpecs: fc.constantFrom({}, { 'provisioning:type': 'thick' }, { thin_provisioning_support: '<is> True' }),
});
const allWeighers = createRules({
  ...defaultOptions,
  scheduler_default_weighers: ['CapacityWeigher', 'AllocatedCapacityWeigher', 'VolumeNumberWeigher'],
});

describe('selection, for any fleet and request', () => {
  it('never picks a pool that a filter refuses, and refuses only when all are refused', () => {
    fc.assert(
      fc.property(fleet, asked, ({ pools, services }, changes) => {
        const wanted = request(changes as Parameters<typeof request>[0]);
        const isRefused = (pool: PoolState) => {
          const owner = services.find(({ host }) => host === pool.serviceHost)!;
          return rules.filters.some((filter) => !filter.check({ pool, service: owner }, wanted).pass);
        };
        const selection = select(wanted, fleetOf(pools, services), allWeighers);
        if ('chosen' in selection) assert.equal(isRefused(selection.chosen), false);
        else {
          assert.ok(pools.every(isRefused));
          assert.equal(selection.refused.length, pools.length);
        }
      }),
    );
  });

  it('does not depend on the order in which pools and services come', () => {
    const shuffled = fleet.chain(({ pools, services }) =>
      fc.tuple(
        fc.constant({ pools, services }),
        fc.shuffledSubarray(pools, { minLength: pools.length }),
        fc.shuffledSubarray(services, { minLength: services.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, asked, ([{ pools, services }, otherPools, otherServices], changes) => {
        const wanted = request(changes as Parameters<typeof request>[0]);
        assert.deepEqual(
          select(wanted, fleetOf(otherPools, otherServices), allWeighers),
          select(wanted, fleetOf(pools, services), allWeighers),
        );
      }),
    );
  });

  it('gives every pool a finite score', () => {
    fc.assert(
      fc.property(fleet, asked, ({ pools }, changes) => {
        const scores = score(request(changes as Parameters<typeof request>[0]), pools, allWeighers);
        assert.ok(scores.every(Number.isFinite), String(scores));
      }),
    );
  });

  it('promises no pool more than it has, however many requests come', () => {
    fc.assert(
      fc.property(
        fc.array(poolWords, { minLength: 1, maxLength: 4 }),
        fc.array(asked, { maxLength: 40 }),
        (fleetWords, wishes) => {
          const states = createHostStates({ now: () => 0 });
          for (const [index, words] of fleetWords.entries()) {
            states.receive(readReport(wireReport(words, { host: hostOf(index) })));
          }
          const services = fleetWords.map((_, index) => service({ host: hostOf(index) }));
          for (const [index, changes] of wishes.entries()) {
            const wanted = request(changes as Parameters<typeof request>[0]);
            const selection = select(wanted, fleetOf(states.pools(), services), rules);
            if (!('chosen' in selection)) continue;
            const { name } = selection.chosen;
            const thin = isThin(selection.chosen, wanted.extraSpecs);
            const before = headroom(selection.chosen, thin);
            states.reserve({ operationId: `op-${index}`, pool: name, gb: wanted.sizeGb, volumes: 1, placedAtMs: 1 });
            const after = headroom(states.find(name)!, thin);
            if (before.kind !== 'known' || after.kind !== 'known') continue;
            // Not clamped at zero: exactly the size less than before.
            assert.ok(
              Math.abs(before.gb - after.gb - wanted.sizeGb) < 1e-6,
              `${before.gb} - ${wanted.sizeGb} = ${after.gb}`,
            );
          }
        },
      ),
    );
  });
});

describe('weighers', () => {
  const spread = (names: readonly string[], changes: Partial<typeof defaultOptions> = {}) => ({
    filters: filtersByName([]),
    weighers: withMultipliers(weighersByName(names), { ...defaultOptions, ...changes }),
  });
  const first = poolState({ free_capacity_gb: 80, allocated_capacity_gb: 20, total_volumes: 9 }, [], 'a@lvm');
  const second = poolState({ free_capacity_gb: 60, allocated_capacity_gb: 40, total_volumes: 3 }, [], 'b@lvm');
  const pools = [first, second];
  const chosen = (chosenRules: ReturnType<typeof spread>, among: readonly PoolState[] = pools) => {
    const services = among.map((pool) => service({ host: pool.serviceHost }));
    const selection = select(request(), fleetOf(among, services), chosenRules);
    return 'chosen' in selection ? selection.chosen.serviceHost : null;
  };

  it('spread or stack by free capacity', () => {
    assert.equal(chosen(spread(['CapacityWeigher'])), 'a@lvm');
    assert.equal(chosen(spread(['CapacityWeigher'], { capacity_weight_multiplier: -1 })), 'b@lvm');
  });

  it('spread or stack by allocated capacity', () => {
    assert.equal(chosen(spread(['AllocatedCapacityWeigher'])), 'a@lvm');
    assert.equal(chosen(spread(['AllocatedCapacityWeigher'], { allocated_capacity_weight_multiplier: 1 })), 'b@lvm');
  });

  it('spread or stack by the number of volumes', () => {
    assert.equal(chosen(spread(['VolumeNumberWeigher'])), 'b@lvm');
    assert.equal(chosen(spread(['VolumeNumberWeigher'], { volume_number_multiplier: 1 })), 'a@lvm');
  });

  it('are added with their multipliers after normalisation', () => {
    const both = ['CapacityWeigher', 'VolumeNumberWeigher'];
    assert.equal(chosen(spread(both, { capacity_weight_multiplier: 1.5 })), 'a@lvm');
    assert.equal(chosen(spread(both, { capacity_weight_multiplier: 0.5 })), 'b@lvm');
    assert.deepEqual(score(request(), pools, spread(both, { capacity_weight_multiplier: 1.5 })), [0.5, 0]);
  });

  it('count virtual capacity for thin pools', () => {
    const thin = { thin_provisioning_support: true, max_over_subscription_ratio: '3.0' };
    const virtual = poolState({ ...thin, free_capacity_gb: 40, provisioned_capacity_gb: 150 }, [], 'thin@lvm');
    assert.equal(chosen(spread(['CapacityWeigher']), [first, virtual]), 'thin@lvm');
    assert.equal(
      chosen(spread(['CapacityWeigher']), [poolState({ free_capacity_gb: 99 }, [], 'a@lvm'), virtual]),
      'thin@lvm',
    );
    const full = poolState({ ...thin, provisioned_capacity_gb: 250 }, [], 'thin@lvm');
    assert.equal(chosen(spread(['CapacityWeigher']), [first, full]), 'a@lvm');
  });

  it('put a backend that cannot say last, whether volumes are spread or stacked', () => {
    const vague = poolState({ total_capacity_gb: 'unknown', free_capacity_gb: 'unknown' }, [], '0vague@lvm');
    for (const multiplier of [1, -1]) {
      const byCapacity = spread(['CapacityWeigher'], { capacity_weight_multiplier: multiplier });
      assert.equal(chosen(byCapacity, [vague, first]), 'a@lvm');
      assert.notEqual(chosen(byCapacity, [vague, first, second]), '0vague@lvm');
    }
  });

  it('take the first by name of equally good pools', () => {
    const twins = ['b@lvm', 'a@lvm', 'c@lvm'].map((host) => poolState({}, [], host));
    assert.equal(chosen(spread(['CapacityWeigher']), twins), 'a@lvm');
  });

  it('refuse a name that does not exist', () => {
    assert.throws(() => weighersByName(['GoodnessWeigher']), /GoodnessWeigher.*CapacityWeigher/);
  });
});
