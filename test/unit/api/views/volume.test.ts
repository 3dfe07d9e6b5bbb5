import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { volumeDetail, volumeFull, volumeSummary } from '../../../../src/api/views/volume.ts';
import type { Attachment } from '../../../../src/model/attachment.ts';
import type { Volume } from '../../../../src/model/volume.ts';

const volume: Volume = {
  id: 'a29e3ae3-e8c3-4471-a378-04783b69d2a4',
  nameId: null,
  userId: 'admin',
  projectId: 'p1',
  host: 'node@lvm#pool',
  clusterName: null,
  sizeGb: 3,
  availabilityZone: 'nova',
  status: 'in-use',
  attachStatus: 'attached',
  previousStatus: null,
  migrationStatus: null,
  replicationStatus: null,
  displayName: 'data',
  displayDescription: null,
  providerLocation: '127.0.0.1:3260,1 iqn.2010-10.org.example:x 1',
  providerAuth: 'CHAP user secret',
  providerId: null,
  snapshotId: null,
  sourceVolumeId: null,
  volumeTypeId: 't1',
  bootable: true,
  multiattach: false,
  encryptionKeyId: null,
  groupId: null,
  consistencyGroupId: null,
  serviceUuid: 's1',
  sharedTargets: null,
  useQuota: true,
  createdAt: new Date('2026-11-20T18:23:06.123Z'),
  updatedAt: null,
  scheduledAt: null,
  launchedAt: null,
  terminatedAt: null,
  deletedAt: null,
  deleted: false,
  metadata: { tier: 'gold' },
  adminMetadata: { readonly: 'True', secret: 'x' },
};

const attachment: Attachment = {
  id: '679db573-6ebe-4e63-80b5-416e5fb05700',
  volumeId: volume.id,
  instanceId: 'i1',
  attachedHost: 'compute1',
  mountpoint: '/dev/vdb',
  attachMode: 'rw',
  attachStatus: 'attached',
  connector: null,
  connectionInfo: { auth_password: 'secret' },
  attachTime: new Date('2026-11-20T18:30:00Z'),
  detachTime: null,
  createdAt: new Date('2026-11-20T18:29:00Z'),
  updatedAt: null,
  deletedAt: null,
  deleted: false,
};

const context = { version: 70, isAdmin: true, baseUrl: 'http://h:8776/v3/p1' };
const details = { volume, typeName: 'fast', attachments: [attachment] };

/** Keys that appear between two versions. */
function added(from: number, to: number, isAdmin = true): string[] {
  const before = volumeDetail(details, { ...context, isAdmin, version: from });
  const after = volumeDetail(details, { ...context, isAdmin, version: to });
  return Object.keys(after).filter((key) => !Object.hasOwn(before, key));
}

describe('the view of a volume', () => {
  it('has links with and without the version', () => {
    assert.deepEqual(volumeSummary(volume, context), {
      id: volume.id,
      name: 'data',
      links: [
        { rel: 'self', href: `http://h:8776/v3/p1/volumes/${volume.id}` },
        { rel: 'bookmark', href: `http://h:8776/p1/volumes/${volume.id}` },
      ],
    });
  });

  it('has the keys of 3.0', () => {
    assert.deepEqual(volumeDetail({ ...details, attachments: [] }, { ...context, version: 0, isAdmin: false }), {
      id: volume.id,
      status: 'in-use',
      size: 3,
      availability_zone: 'nova',
      created_at: '2026-11-20T18:23:06.123000',
      updated_at: null,
      name: 'data',
      description: null,
      volume_type: 'fast',
      snapshot_id: null,
      source_volid: null,
      metadata: { tier: 'gold', readonly: 'True' },
      links: volumeSummary(volume, context).links,
      user_id: 'admin',
      bootable: 'true',
      encrypted: false,
      replication_status: null,
      consistencygroup_id: null,
      multiattach: false,
      attachments: [],
    });
  });

  it('gains keys where the versions say so', () => {
    assert.deepEqual(added(0, 12), []);
    assert.deepEqual(added(12, 13), ['group_id']);
    assert.deepEqual(added(20, 21), ['provider_id']);
    assert.deepEqual(added(20, 21, false), []);
    assert.deepEqual(added(47, 48), ['shared_targets', 'service_uuid']);
    assert.deepEqual(added(60, 61), ['cluster_name']);
    assert.deepEqual(added(60, 61, false), []);
    assert.deepEqual(added(62, 63), ['volume_type_id']);
    assert.deepEqual(added(63, 64), []); // only where there is a key
    assert.deepEqual(added(64, 65), ['consumes_quota']);
    assert.deepEqual(added(65, 70), []);
  });

  it('says unknown shared targets as true until 3.69', () => {
    const at = (version: number) => volumeDetail(details, { ...context, version }) as { shared_targets?: unknown };
    assert.equal(at(68).shared_targets, true);
    assert.equal(at(69).shared_targets, null);
  });

  it('shows where a volume lives to administrators, and whose it is to all', () => {
    const extra = (isAdmin: boolean) =>
      Object.keys(volumeFull(details, { ...context, isAdmin })).filter((key) => key.startsWith('os-vol'));
    assert.deepEqual(extra(false), ['os-vol-tenant-attr:tenant_id']);
    assert.deepEqual(extra(true), [
      'os-vol-host-attr:host',
      'os-vol-mig-status-attr:migstat',
      'os-vol-mig-status-attr:name_id',
      'os-vol-tenant-attr:tenant_id',
    ]);
  });

  it('lists who is attached, without the way in; the host is for administrators', () => {
    const reserved = { ...attachment, attachStatus: 'reserved' } as const;
    const shown = (isAdmin: boolean) =>
      volumeDetail({ ...details, attachments: [attachment, reserved] }, { ...context, isAdmin }).attachments;
    const expected = {
      id: volume.id,
      attachment_id: attachment.id,
      volume_id: volume.id,
      server_id: 'i1',
      host_name: 'compute1',
      device: '/dev/vdb',
      attached_at: '2026-11-20T18:30:00.000000',
    };
    assert.deepEqual(shown(true), [expected]);
    assert.deepEqual(shown(false), [{ ...expected, host_name: null }]);
  });

  it('never shows a secret', () => {
    assert.doesNotMatch(JSON.stringify(volumeFull(details, context)), /secret/);
  });
});
