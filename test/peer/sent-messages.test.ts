/** Messages of ours, read by Cinder's own objects and held against the signatures of Cinder's own managers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Attachment } from '../../src/model/attachment.ts';
import type { Operation } from '../../src/model/operation.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { Volume } from '../../src/model/volume.ts';
import type { VolumeType } from '../../src/model/volume-type.ts';
import { contextToWire } from '../../src/rpc/wire-context.ts';
import { OBJECT_HISTORIES } from '../../src/rpcapi/objects/history.ts';
import type { OperationMethod, RequestArguments } from '../../src/rpcapi/requests.ts';
import { operationMessage, type WireRows } from '../../src/rpcapi/wire/send.ts';
import { missingCinder } from '../support/cinder-peer.ts';

const SCRIPT = fileURLToPath(new URL('../support/cinder-objects.py', import.meta.url));
const VOLUME = '4ac5b1f6-9a0e-4f9a-8c38-6a0d3f4e1c11';
const SNAPSHOT = '5bd6c207-ab1f-4a0b-9d49-7b1e405f2d22';
const ATTACHMENT = '6ce7d318-bc20-4b1c-ae5a-8c2f51603e33';
const TYPE = '7df8e429-cd31-4c2d-bf6b-9d30627140a4';
const when = new Date('2026-11-20T12:00:00Z');
const stamps = { createdAt: when, updatedAt: null, deletedAt: null, deleted: false };

const type: VolumeType = {
  ...{ id: TYPE, name: 'gold', description: null, isPublic: true, qosSpecsId: null, ...stamps },
  extraSpecs: { volume_backend_name: 'lvm', multiattach: '<is> True' },
};
const nothing = {
  nameId: null,
  clusterName: null,
  previousStatus: null,
  migrationStatus: null,
  replicationStatus: null,
};
const nobody = {
  snapshotId: null,
  sourceVolumeId: null,
  encryptionKeyId: null,
  groupId: null,
  consistencyGroupId: null,
};
const provider = { providerLocation: 'portal', providerAuth: 'CHAP u p', providerId: null };
const volume: Volume = {
  ...{ id: VOLUME, userId: 'u', projectId: 'p', host: 'node@lvm#pool0', sizeGb: 2, availabilityZone: 'nova' },
  ...{ status: 'creating', attachStatus: 'detached', displayName: 'Bände', displayDescription: null },
  ...{ volumeTypeId: TYPE, bootable: false, multiattach: true, serviceUuid: null, sharedTargets: true, useQuota: true },
  ...{
    scheduledAt: when,
    launchedAt: null,
    terminatedAt: null,
    metadata: { a: 'b' },
    adminMetadata: { readonly: 'False' },
  },
  ...nothing,
  ...nobody,
  ...provider,
  ...stamps,
};
const snapshot: Snapshot = {
  ...{
    id: SNAPSHOT,
    volumeId: VOLUME,
    userId: 'u',
    projectId: 'p',
    status: 'creating',
    progress: '0%',
    volumeSizeGb: 2,
  },
  ...{ displayName: 's', displayDescription: null, volumeTypeId: TYPE, encryptionKeyId: null, groupSnapshotId: null },
  ...{ useQuota: true, metadata: {}, providerLocation: null, providerId: null, providerAuth: null },
  ...stamps,
};
const attachment: Attachment = {
  ...{ id: ATTACHMENT, volumeId: VOLUME, instanceId: null, attachedHost: 'compute', mountpoint: '/dev/vdb' },
  ...{ attachMode: 'rw', attachStatus: 'detaching', connector: { host: 'compute' }, connectionInfo: { target_lun: 0 } },
  ...{ attachTime: when, detachTime: null },
  ...stamps,
};
const rows: WireRows = { volume, type, attachments: [attachment], snapshot };

const blank = { pinnedHost: null, availabilityZone: 'nova', excludedHosts: [], failures: {} };
const args: { readonly [M in OperationMethod]?: RequestArguments<M> } = {
  create_volume: { source: { kind: 'snapshot', snapshotId: SNAPSHOT }, ...blank },
  delete_volume: { force: false, cascade: true },
  extend_volume: { newSizeGb: 5, reservations: [] },
  create_snapshot: { volumeId: VOLUME },
  delete_snapshot: { volumeId: VOLUME },
  attachment_update: { volumeId: VOLUME, connector: { host: 'compute' }, created: true },
  attachment_delete: { volumeId: VOLUME },
  initialize_connection: { connector: { host: 'compute' } },
  terminate_connection: { connector: null, force: true },
  attach_volume: {
    attachmentId: ATTACHMENT,
    instanceId: null,
    hostName: 'compute',
    mountpoint: '/dev/vdb',
    mode: 'ro',
  },
  detach_volume: { attachmentId: ATTACHMENT },
};
const resources: Readonly<Record<string, string>> = {
  create_snapshot: SNAPSHOT,
  delete_snapshot: SNAPSHOT,
  attachment_update: ATTACHMENT,
  attachment_delete: ATTACHMENT,
};

const context = {
  ...{ requestId: 'req-7', userId: 'u', projectId: 'p', isAdmin: true, roles: ['admin', 'member'] },
  carried: { auth_token: 'a-token', project_name: 'demo' },
};

const cases = OBJECT_HISTORIES.flatMap((objectHistory) => [
  ...Object.keys(args).map((method) => ({ method, owner: 'node@lvm', objectHistory })),
  { method: 'create_volume', owner: 'cinder-scheduler', objectHistory },
  { method: 'extend_volume', owner: 'cinder-scheduler', objectHistory },
]);

function messageOf({ method, owner, objectHistory }: (typeof cases)[number]): string {
  const operation = {
    ...{ id: VOLUME, resourceId: resources[method] ?? VOLUME, method, owner },
    arguments: args[method as OperationMethod],
  } as unknown as Operation;
  const message = operationMessage(operation, rows, {
    rpcVersion: owner === 'node@lvm' ? '3.18' : '3.12',
    objectHistory,
  });
  const wire = Object.entries(contextToWire(context, when)).map(([key, value]) => [`_context_${key}`, value]);
  return JSON.stringify({ ...message, ...Object.fromEntries(wire) });
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever Cinder saw
type Seen = any;

describe("what we send, as Cinder's services read it", { skip: missingCinder() ?? false, timeout: 120_000 }, () => {
  let seen: Seen[];
  const find = (method: string, owner: string, objectHistory = '1.39'): Seen =>
    seen[cases.findIndex((it) => it.method === method && it.owner === owner && it.objectHistory === objectHistory)];

  const sentTo = (objectHistory: string): { readonly message: Seen } => {
    const found = cases.find((it) => it.method === 'delete_volume' && it.objectHistory === objectHistory);
    return { message: JSON.parse(messageOf(found!)).args.volume };
  };

  before(() => {
    const input = `${cases.map(messageOf).join('\n')}\n`;
    const output = execFileSync('/usr/bin/python3', [SCRIPT], { input, timeout: 90_000, encoding: 'utf8' });
    seen = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  });

  test('every method fits, at every history', () => {
    const faults = cases.flatMap((it, index) => (seen[index]?.error === undefined ? [] : [{ ...it, ...seen[index] }]));
    assert.deepEqual(faults, []);
    assert.equal(seen.length, cases.length);
  });

  test('a new volume with its spec', () => {
    const { volume, request_spec: spec, filter_properties: properties } = find('create_volume', 'node@lvm').args;
    assert.equal(volume.object, 'Volume');
    assert.equal(volume.fields.display_name, 'Bände');
    assert.equal(volume.fields.volume_type.fields.extra_specs.volume_backend_name, 'lvm');
    assert.equal(volume.fields.volume_attachment.fields.objects[0].fields.attach_status, 'attached');
    assert.equal(spec.object, 'RequestSpec');
    assert.equal(spec.fields.snapshot_id, SNAPSHOT);
    assert.equal(spec.fields.volume_properties.fields.size, 2);
    assert.deepEqual(properties.retry.backends, ['node@lvm#pool0']);
    assert.equal(properties.request_spec.volume.name, `volume-${VOLUME}`);
  });

  test('an object of an older history is read as one, with what its reader makes of a field that it lacks', () => {
    const versions = OBJECT_HISTORIES.map((history) => {
      const { volume } = find('delete_volume', 'node@lvm', history).args;
      return [volume.fields.use_quota, volume.object];
    });
    assert.deepEqual(versions, [
      [true, 'Volume'],
      [true, 'Volume'],
    ]);
    const { message } = sentTo('1.38');
    assert.equal(message['versioned_object.version'], '1.8');
    assert.equal('use_quota' in message['versioned_object.data'], false);
  });

  test('whoever asks is known there', () => {
    for (const { context: who } of seen) {
      const rest = { is_admin: true, roles: ['admin', 'member'], auth_token: 'a-token', project_name: 'demo' };
      assert.deepEqual(who, { request_id: 'req-7', user_id: 'u', project_id: 'p', ...rest });
    }
  });
});
