import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PoolQuery, viewPools } from '../../../src/scheduler/pools-view.ts';
import { poolState, service } from './support.ts';

const pools = [
  poolState({ multiattach: false }, [], 'b@lvm'),
  poolState({}, [25], 'a@lvm'),
  poolState({}, [], 'off@lvm'),
];
const services = [service({ host: 'a@lvm' }), service({ host: 'b@lvm' }), service({ host: 'off@lvm', disabled: true })];

function names(query: Partial<PoolQuery>): string[] {
  return viewPools(pools, services, 60, { capabilities: {}, ...query }).map(({ name }) => name);
}

describe('what get_pools answers', () => {
  it('is the pools of active backends, by name', () => {
    assert.deepEqual(names({}), ['a@lvm#pool0', 'b@lvm#pool0']);
    assert.deepEqual(
      viewPools(pools, [service({ host: 'a@lvm', heartbeatAgeSeconds: 61 })], 60, { capabilities: {} }),
      [],
    );
  });

  it('has the words of the wire, with what was promised since', () => {
    const [first] = viewPools(pools, services, 60, { capabilities: {} });
    assert.deepEqual(first!.capabilities, {
      pool_name: 'pool0',
      total_capacity_gb: 100,
      free_capacity_gb: 75,
      allocated_capacity_gb: 25,
      provisioned_capacity_gb: 25,
      reserved_percentage: 0,
      max_over_subscription_ratio: '20.0',
      thin_provisioning_support: false,
      thick_provisioning_support: true,
      total_volumes: 1,
      multiattach: true,
      backend_state: 'up',
      volume_backend_name: 'lvm',
      storage_protocol: ['iSCSI', 'iscsi'],
      vendor_name: 'Ashlar',
      driver_version: '1.0.0',
      timestamp: '2026-11-20T18:29:37.797086',
    });
  });

  it('is narrowed by name, by what a type asks for and by capabilities', () => {
    assert.deepEqual(names({ name: 'b@lvm#pool0' }), ['b@lvm#pool0']);
    assert.deepEqual(names({ name: 'c@lvm#pool0' }), []);
    assert.deepEqual(names({ extraSpecs: { multiattach: '<is> True' } }), ['a@lvm#pool0']);
    assert.deepEqual(names({ capabilities: { free_capacity_gb: '75' } }), ['a@lvm#pool0']);
    assert.deepEqual(names({ capabilities: { storage_protocol: 'iscsi', multiattach: false } }), ['b@lvm#pool0']);
    assert.deepEqual(names({ capabilities: { no_such_word: 'x' } }), []);
  });
});
