import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capabilitiesView, poolDetail, poolSummary } from '../../../../src/api/views/pool.ts';

describe('views of pools and capabilities', () => {
  const pool = {
    name: 'node@lvm#pool0',
    capabilities: { storage_protocol: ['iSCSI', 'iscsi'], free_capacity_gb: 'infinite' },
  };

  it('show capabilities in the details only, and of several spellings of the protocol the first', () => {
    assert.deepEqual(poolSummary(pool), { name: 'node@lvm#pool0' });
    assert.deepEqual(poolDetail(pool), {
      name: 'node@lvm#pool0',
      capabilities: { storage_protocol: 'iSCSI', free_capacity_gb: 'infinite' },
    });
    assert.deepEqual(poolDetail({ name: 'x', capabilities: {} }), { name: 'x', capabilities: {} });
  });

  it('show every key of the capabilities, null where the backend says nothing', () => {
    const view = capabilitiesView('node@lvm', { vendor_name: 'Open Source', storage_protocol: 'iSCSI' });
    assert.equal(view.namespace, 'OS::Storage::Capabilities::node@lvm');
    assert.equal(view.vendor_name, 'Open Source');
    assert.equal(view.storage_protocol, 'iSCSI');
    assert.equal(view.pool_name, null);
    assert.deepEqual(view.replication_targets, []);
  });
});
