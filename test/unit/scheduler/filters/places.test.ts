import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isFailure } from '../../../../src/model/errors.ts';
import { availabilityZoneFilter } from '../../../../src/scheduler/filters/availability-zone.ts';
import { backendStateFilter } from '../../../../src/scheduler/filters/backend-state.ts';
import { excludedHostsFilter } from '../../../../src/scheduler/filters/excluded-hosts.ts';
import { filtersByName } from '../../../../src/scheduler/filters/index.ts';
import { pinnedHostFilter } from '../../../../src/scheduler/filters/pinned-host.ts';
import { volumeCountFilter } from '../../../../src/scheduler/filters/volume-count.ts';
import { candidate, poolState, request } from '../support.ts';

function reason(verdict: { pass: boolean; reason?: string }): string | undefined {
  return verdict.reason;
}

describe('availability zone filter', () => {
  it('asks for the zone of the service', () => {
    const { check } = availabilityZoneFilter;
    assert.equal(check(candidate(), request()).pass, true);
    assert.equal(check(candidate(), request({ availabilityZone: 'nova' })).pass, true);
    assert.equal(reason(check(candidate(), request({ availabilityZone: 'west' }))), 'is in zone nova, west asked for');
  });
});

describe('backend state filter', () => {
  const { check } = backendStateFilter;

  it('takes nothing for a service or backend that is down', () => {
    const late = candidate(poolState(), { heartbeatAgeSeconds: 130.4 });
    assert.equal(reason(check(late, request())), 'its service is down, the last heartbeat was 130 s ago');
    assert.equal(check(late, request({ purpose: 'extend' })).pass, false);
    const down = candidate(poolState({ backend_state: 'down' }));
    assert.equal(reason(check(down, request())), 'reports its backend as down; its log says why');
    assert.equal(check(down, request({ purpose: 'extend' })).pass, false);
  });

  it('takes no new volume where the service is disabled or frozen, but lets those there grow', () => {
    const disabled = candidate(poolState(), { disabled: true, disabledReason: 'new disks' });
    assert.equal(reason(check(disabled, request())), 'is disabled: new disks');
    assert.equal(check(disabled, request({ purpose: 'extend' })).pass, true);
    const frozen = candidate(poolState(), { frozen: true });
    assert.equal(reason(check(frozen, request())), 'is frozen, thaw it first');
    assert.equal(check(frozen, request({ purpose: 'extend' })).pass, true);
  });
});

describe('excluded hosts filter', () => {
  const { check } = excludedHostsFilter;

  it('refuses the pools that failed, or all pools of a backend, and repeats what they said', () => {
    assert.equal(check(candidate(), request({ excludedHosts: ['node@lvm#other', 'other@lvm'] })).pass, true);
    assert.equal(check(candidate(), request({ excludedHosts: ['node@lvm'] })).pass, false);
    const failures = { 'node@lvm#pool0': 'lvcreate ended with 5' };
    const verdict = check(candidate(), request({ excludedHosts: ['node@lvm#pool0'], failures }));
    assert.equal(reason(verdict), 'failed at this volume before: lvcreate ended with 5');
  });
});

describe('pinned host filter', () => {
  const { check } = pinnedHostFilter;

  it('passes only the place of the source', () => {
    assert.equal(check(candidate(), request({ pinnedHost: 'node@lvm#pool0' })).pass, true);
    assert.equal(check(candidate(), request({ pinnedHost: 'node@lvm' })).pass, true);
    const verdict = check(candidate(), request({ pinnedHost: 'node@lvm2#pool0' }));
    assert.equal(reason(verdict), 'is not where the source is, node@lvm2#pool0');
  });
});

describe('volume count filter', () => {
  const { check } = volumeCountFilter;

  it('keeps to the limit that the driver reports', () => {
    assert.equal(check(candidate(poolState({ total_volumes: 5000 })), request()).pass, true);
    assert.equal(check(candidate(poolState({ total_volumes: 8, max_volumes: 10 }, [1])), request()).pass, true);
    const full = candidate(poolState({ total_volumes: 8, max_volumes: 10 }, [1, 1]));
    assert.equal(reason(check(full, request())), 'has 10 volumes, its limit is 10');
    assert.equal(check(full, request({ purpose: 'extend' })).pass, true);
  });
});

describe('the roll-call of filters', () => {
  it('refuses a name that does not exist and says which do', () => {
    assert.throws(
      () => filtersByName(['CapacityFilter', 'DriverFilter']),
      (error) =>
        isFailure(error, 'InvalidConfigurationValue') && /DriverFilter.*AvailabilityZoneFilter/.test(error.message),
    );
  });

  it('always checks the state of the backend, even with no filter chosen', () => {
    const refusing = filtersByName([]).filter(
      (filter) => !filter.check(candidate(poolState(), { disabled: true }), request()).pass,
    );
    assert.deepEqual(
      refusing.map(({ name }) => name),
      ['BackendStateFilter'],
    );
  });
});
