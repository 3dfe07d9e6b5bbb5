import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Attachment } from '../../../../src/model/attachment.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import type { VolumeType } from '../../../../src/model/volume-type.ts';
import { snapshotUsage, unplacedUsage, volumeTypeUsage, volumeUsage } from '../../../../src/rpcapi/wire/usage.ts';

function captured(event: string): Record<string, unknown> {
  const file = new URL(`../../../fixtures/cinder/captures/notify.${event}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).example.message.payload;
}

const SECRET = 'r0vjyvXiCmr7D13';
const now = new Date('2026-11-20T18:25:46.945Z');
const stamps = { createdAt: now, updatedAt: null, deletedAt: null, deleted: false };

const theirs = captured('volume.create.end');
const volume = {
  id: theirs.volume_id,
  userId: 'admin',
  projectId: theirs.tenant_id,
  host: 'node@lvm#pool0',
  sizeGb: 1,
  availabilityZone: 'nova',
  status: 'available',
  attachStatus: 'detached',
  displayName: 'multi',
  volumeTypeId: theirs.volume_type,
  snapshotId: null,
  replicationStatus: null,
  providerAuth: `CHAP user ${SECRET}`,
  launchedAt: new Date('2026-11-20T18:25:47.052Z'),
  metadata: {},
  ...stamps,
} as unknown as Volume;
const type = {
  ...{ id: 't', name: 'lvm', description: null, isPublic: true, qosSpecsId: null },
  ...{ extraSpecs: { volume_backend_name: 'lvm' }, ...stamps },
} as VolumeType;

const inMs = (payload: Readonly<Record<string, unknown>>) =>
  JSON.parse(JSON.stringify(payload).replaceAll(/(T\d\d:\d\d:\d\d\.\d{3})\d{3}/g, '$1'));

test('a volume is told of as a Cinder would', () => {
  assert.deepEqual(inMs(volumeUsage(volume, [])), inMs(theirs));
  assert.deepEqual(Object.keys(volumeUsage(volume, [])), Object.keys(theirs));
  const whole = { ...volume, createdAt: new Date('2026-11-20T18:23:39.000Z'), metadata: { k: 'v' } };
  const usage = volumeUsage(whole, []);
  assert.equal(usage.created_at, '2026-11-20T18:23:39+00:00', 'a whole second has no fraction');
  assert.deepEqual(usage.metadata, [{ key: 'k', value: 'v' }]);
});

test('its attachments are told of without the secret of the connection', () => {
  const attachment: Attachment = {
    ...{ id: 'a', volumeId: volume.id, instanceId: null, attachedHost: 'compute', mountpoint: '/dev/vdb' },
    ...{ attachMode: 'rw', attachStatus: 'attached', connector: { initiator: 'iqn.1', host: 'compute' } },
    connectionInfo: { target_iqn: 'iqn.2', auth_username: 'user', auth_password: SECRET },
    ...{ attachTime: now, detachTime: null, ...stamps },
  };
  const [ours] = volumeUsage(volume, [attachment]).volume_attachment as Record<string, unknown>[];
  const [other] = captured('volume.detach.start').volume_attachment as Record<string, unknown>[];
  // The whole volume once more, with its own secret, is left out.
  assert.deepEqual([...Object.keys(ours!), 'volume'].sort(), Object.keys(other!).sort());
  assert.equal(ours!.attach_time, '2026-11-20T18:25:46.945000');
  assert.equal(JSON.parse(String(ours!.connection_info)).target_iqn, 'iqn.2');
  assert.equal(JSON.parse(String(ours!.connector)).initiator, 'iqn.1');
  assert.ok(!JSON.stringify(ours).includes(SECRET));
});

test('a snapshot is told of as a Cinder would', () => {
  const told = captured('snapshot.delete.end');
  const snapshot = {
    ...{ id: told.snapshot_id, volumeId: told.volume_id, userId: 'admin', projectId: told.tenant_id },
    ...{ status: 'deleted', volumeSizeGb: 1, displayName: 's2', metadata: {}, ...stamps },
    ...{ createdAt: new Date('2026-11-20T18:23:39.137Z'), deleted: true },
  } as unknown as Snapshot;
  assert.deepEqual(inMs(snapshotUsage(snapshot, { availabilityZone: 'nova' })), inMs(told));
  const { metadata } = snapshotUsage({ ...snapshot, metadata: { a: "it's", b: 'x' } }, null);
  assert.equal(metadata, `{'a': "it's", 'b': 'x'}`);
});

test('a volume that finds no place is told of with its request, and without secrets', () => {
  const told = captured('scheduler.create_volume');
  const usage = unplacedUsage({ volume, type, attachments: [] }, { kind: 'blank' }, 'no room');
  assert.deepEqual(Object.keys(usage), Object.keys(told));
  const spec = usage.request_spec as Record<string, unknown>;
  assert.deepEqual(Object.keys(spec).sort(), Object.keys(told.request_spec as object).sort());
  assert.equal(usage.volume_id, volume.id);
  assert.equal(usage.reason, 'no room');
  assert.ok(!JSON.stringify(usage).includes(SECRET));
});

test('a volume type is told of as a Cinder would', () => {
  const usage = volumeTypeUsage(type).volume_types as Record<string, unknown>;
  assert.deepEqual(
    Object.keys(usage).sort(),
    Object.keys(captured('volume_type.create').volume_types as object).sort(),
  );
});
