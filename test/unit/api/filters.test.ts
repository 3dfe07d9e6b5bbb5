import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selectSnapshots, selectVolumes } from '../../../src/api/filters.ts';

const admin = { version: 70, isAdmin: true };
const member = { version: 70, isAdmin: false };

describe('filters of volumes', () => {
  it("carries the API's names over to the model's", () => {
    const query = {
      'name~': 'da',
      status: 'available',
      bootable: 'True',
      size: '3',
      metadata: "{'tier': 'gold'}",
      host: 'node@lvm',
      source_volid: 'v1',
      limit: '5',
      sort: 'name',
    };
    assert.deepEqual(selectVolumes(query, admin), {
      filters: {
        nameLike: 'da',
        status: 'available',
        bootable: true,
        sizeGb: 3,
        metadata: { tier: 'gold' },
        host: 'node@lvm',
        sourceVolumeId: 'v1',
      },
      nothing: false,
    });
  });

  it('reads times as UTC, several comparisons at once', () => {
    const { filters } = selectVolumes({ created_at: 'gte:2026-01-01T00:00:00,lt:2026-02-01T01:00:00+01:00' }, member);
    assert.deepEqual(filters.createdAt, {
      gte: new Date('2026-01-01T00:00:00Z'),
      lt: new Date('2026-02-01T00:00:00Z'),
    });
    for (const text of ['2026-01-01', 'gt:soon', 'after:2026-01-01', 'gt:', '', 'gt:2026-13-01T00:00:00']) {
      assert.throws(() => selectVolumes({ updated_at: text }, member), { code: 'InvalidInput' }, text);
    }
  });

  it('leaves out what the version does not have yet', () => {
    const query = {
      'name~': 'x',
      created_at: 'gt:2026-01-01',
      consumes_quota: 'false',
      group_id: 'g',
      glance_metadata: 'x',
    };
    assert.deepEqual(selectVolumes(query, { version: 3, isAdmin: true }), { filters: {}, nothing: false });
  });

  it('knows what no volume has', () => {
    for (const query of [{ group_id: 'g' }, { glance_metadata: '{}' }, { consumes_quota: 'False' }]) {
      assert.equal(selectVolumes(query, admin).nothing, true);
    }
    assert.equal(selectVolumes({ consumes_quota: 'True' }, admin).nothing, false);
  });

  it('lets other words than false stand for true before 3.2', () => {
    assert.equal(selectVolumes({ bootable: 'foo' }, { version: 1, isAdmin: false }).filters.bootable, true);
    assert.throws(() => selectVolumes({ bootable: 'foo' }, { version: 2, isAdmin: false }), { code: 'InvalidInput' });
  });

  it('refuses what it does not know: an administrator always, others since 3.31', () => {
    assert.throws(() => selectVolumes({ nmae: 'x' }, { version: 0, isAdmin: true }), /nmae/);
    assert.throws(() => selectVolumes({ host: 'x' }, member), /host/);
    assert.deepEqual(selectVolumes({ host: 'x' }, { version: 30, isAdmin: false }).filters, {});
  });

  it('refuses sizes and metadata that are none', () => {
    assert.throws(() => selectVolumes({ size: 'big' }, member), { code: 'InvalidInput' });
    assert.throws(() => selectVolumes({ metadata: 'tier=gold' }, member), { code: 'InvalidInput' });
  });
});

describe('filters of snapshots', () => {
  it('hears metadata since 3.22', () => {
    const query = { volume_id: 'v', metadata: "{'a': 'b'}" };
    assert.deepEqual(selectSnapshots(query, { version: 21, isAdmin: false }).filters, { volumeId: 'v' });
    assert.deepEqual(selectSnapshots(query, member).filters, { volumeId: 'v', metadata: { a: 'b' } });
  });
});
