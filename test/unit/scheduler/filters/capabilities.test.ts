import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capabilitiesFilter, checkExtraSpecs } from '../../../../src/scheduler/filters/capabilities.ts';
import { candidate, poolState, request } from '../support.ts';

const capabilities = { volume_backend_name: 'lvm', multiattach: true, tier: { media: { kind: 'ssd' } } };

function passes(extraSpecs: Record<string, string>): boolean {
  return checkExtraSpecs(capabilities, extraSpecs).pass;
}

describe('capabilities filter', () => {
  it('compares keys without a scope and of the scope capabilities', () => {
    assert.equal(passes({ volume_backend_name: 'lvm' }), true);
    assert.equal(passes({ volume_backend_name: 'ceph' }), false);
    assert.equal(passes({ 'capabilities:volume_backend_name': 'lvm' }), true);
    assert.equal(passes({ 'capabilities:volume_backend_name': 'ceph' }), false);
  });

  it('leaves other scopes to those they are for', () => {
    assert.equal(passes({ 'provisioning:type': 'thin', 'vendor:tier:media': 'gold' }), true);
  });

  it('follows further colons into nested capabilities', () => {
    assert.equal(passes({ 'capabilities:tier:media:kind': 'ssd' }), true);
    assert.equal(passes({ 'capabilities:tier:media:kind': 'hdd' }), false);
    assert.equal(passes({ 'capabilities:tier:speed': '= 1' }), false);
    assert.equal(passes({ 'capabilities:volume_backend_name:length': '3' }), false);
  });

  it('asks for all of the specs', () => {
    assert.equal(passes({ volume_backend_name: 'lvm', multiattach: '<is> True' }), true);
    assert.equal(passes({ volume_backend_name: 'lvm', multiattach: '<is> False' }), false);
  });

  it('does not take what every object has for a capability', () => {
    assert.equal(passes({ constructor: '<in> function' }), false);
  });

  it('says which capability is missing and which differs', () => {
    assert.deepEqual(checkExtraSpecs(capabilities, { compression: '<is> True' }), {
      pass: false,
      reason: "does not report compression, the type asks for '<is> True'",
    });
    assert.deepEqual(checkExtraSpecs(capabilities, { volume_backend_name: 'ceph' }), {
      pass: false,
      reason: "has volume_backend_name 'lvm', the type asks for 'ceph'",
    });
  });

  it('sees what the backend reports beside its pools, and any spelling of its protocol', () => {
    for (const protocol of ['iSCSI', 'iscsi', 'ISCSI']) {
      const extraSpecs = { vendor_name: 'Ashlar', storage_protocol: protocol };
      assert.equal(capabilitiesFilter.check(candidate(), request({ extraSpecs })).pass, true);
    }
  });

  it('sees capacity less what is promised', () => {
    const asked = request({ extraSpecs: { free_capacity_gb: '>= 50' } });
    assert.equal(capabilitiesFilter.check(candidate(poolState({}, [50])), asked).pass, true);
    assert.equal(capabilitiesFilter.check(candidate(poolState({}, [51])), asked).pass, false);
  });
});
