import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { snapshotDetail, snapshotFull, snapshotSummary } from '../../../../src/api/views/snapshot.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';

const snapshot: Snapshot = {
  id: 's1',
  volumeId: 'v1',
  userId: 'u1',
  projectId: 'p1',
  status: 'available',
  progress: '100%',
  volumeSizeGb: 2,
  displayName: 'before',
  displayDescription: null,
  providerLocation: null,
  providerId: null,
  providerAuth: null,
  volumeTypeId: 't1',
  encryptionKeyId: null,
  groupSnapshotId: null,
  useQuota: true,
  createdAt: new Date('2026-11-20T18:23:06Z'),
  updatedAt: null,
  deletedAt: null,
  deleted: false,
  metadata: { a: 'b' },
};

describe('the view of a snapshot', () => {
  it('has the keys of 3.0', () => {
    assert.deepEqual(snapshotDetail(snapshot, 0), {
      id: 's1',
      created_at: '2026-11-20T18:23:06.000000',
      updated_at: null,
      name: 'before',
      description: null,
      volume_id: 'v1',
      status: 'available',
      size: 2,
      metadata: { a: 'b' },
    });
    assert.deepEqual(snapshotSummary(snapshot), snapshotDetail(snapshot, 13));
  });

  it('gains keys where the versions say so', () => {
    const keys = (version: number) => Object.keys(snapshotDetail(snapshot, version)).slice(9);
    assert.deepEqual(keys(14), ['group_snapshot_id']);
    assert.deepEqual(keys(41), ['group_snapshot_id', 'user_id']);
    assert.deepEqual(keys(70), ['group_snapshot_id', 'user_id', 'consumes_quota']);
  });

  it('shows project and progress where it is shown in full', () => {
    assert.deepEqual(snapshotFull(snapshot, 0)['os-extended-snapshot-attributes:progress'], '100%');
    assert.deepEqual(snapshotFull(snapshot, 0)['os-extended-snapshot-attributes:project_id'], 'p1');
  });
});
