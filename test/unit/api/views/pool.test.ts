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

  it('show when the backend reported as every other date', () => {
    const at = (timestamp: unknown) => poolDetail({ name: 'x', capabilities: { timestamp } }).capabilities;
    assert.deepEqual(at('2026-11-20T21:50:29.684Z'), { timestamp: '2026-11-20T21:50:29.684000' });
    for (const other of ['2026-11-20T21:50:29.684000', 'Z', null]) assert.deepEqual(at(other), { timestamp: other });
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
