import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Attachment } from '../../../../src/model/attachment.ts';
import { isFailure } from '../../../../src/model/errors.ts';
import type { Operation } from '../../../../src/model/operation.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import type { VolumeType } from '../../../../src/model/volume-type.ts';
import { decodeObject } from '../../../../src/rpcapi/objects/decode.ts';
import { encodeValue } from '../../../../src/rpcapi/objects/encode.ts';
import { type ObjectName, VersionedObject } from '../../../../src/rpcapi/objects/objects.ts';
import type { OperationMethod } from '../../../../src/rpcapi/requests.ts';
import {
  attachmentFromObject,
  attachmentToObject,
  snapshotFromObject,
  snapshotToObject,
  volumeFromObject,
  volumeToObject,
  volumeTypeFromObject,
  volumeTypeToObject,
} from '../../../../src/rpcapi/wire/models.ts';
import { decodeArguments, receive } from '../../../../src/rpcapi/wire/receive.ts';
import { operationMessage, type WireRows } from '../../../../src/rpcapi/wire/send.ts';
import { readCapturedMessages } from '../../../support/cinder-fixtures.ts';

const newest = { rpcVersion: '3.18', objectHistory: '1.39' } as const;

/** Captured messages that Ashlar's api and scheduler send too. */
const sent: readonly (readonly [OperationMethod, owner: string])[] = [
  ['create_volume', 'node@lvm'],
  ['delete_volume', 'node@lvm'],
  ['extend_volume', 'node@lvm'],
  ['create_snapshot', 'node@lvm'],
  ['delete_snapshot', 'node@lvm'],
  ['attachment_update', 'node@lvm'],
  ['attachment_delete', 'node@lvm'],
  ['initialize_connection', 'node@lvm'],
  ['terminate_connection', 'node@lvm'],
  ['attach_volume', 'node@lvm'],
  ['detach_volume', 'node@lvm'],
  ['create_volume', 'cinder-scheduler'],
  ['extend_volume', 'cinder-scheduler'],
];

const text = fc.string({ unit: 'grapheme' });
const orNull = fc.option(fc.string({ minLength: 1 }));
const date = fc
  .date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));
const dictionary = fc.dictionary(fc.stringMatching(/^[a-z:]{1,9}$/), text, { maxKeys: 3, noNullPrototype: true });
const stamps = { createdAt: date, updatedAt: fc.option(date), deletedAt: fc.option(date), deleted: fc.boolean() };

const volumes: fc.Arbitrary<Volume> = fc.record({
  id: fc.uuid(),
  nameId: orNull,
  userId: orNull,
  projectId: orNull,
  host: fc.constantFrom('node@lvm#pool0', 'node@lvm#pool1'),
  clusterName: orNull,
  sizeGb: fc.integer({ min: 1, max: 100_000 }),
  availabilityZone: orNull,
  status: fc.constantFrom('creating', 'available', 'in-use'),
  attachStatus: fc.constantFrom('detached', 'attached', 'detaching', 'error_detaching'),
  previousStatus: orNull,
  migrationStatus: orNull,
  replicationStatus: orNull,
  displayName: orNull,
  displayDescription: orNull,
  providerLocation: orNull,
  providerAuth: orNull,
  providerId: orNull,
  snapshotId: orNull,
  sourceVolumeId: orNull,
  volumeTypeId: fc.uuid(),
  bootable: fc.boolean(),
  multiattach: fc.boolean(),
  encryptionKeyId: orNull,
  groupId: orNull,
  consistencyGroupId: orNull,
  serviceUuid: orNull,
  sharedTargets: fc.option(fc.boolean()),
  useQuota: fc.boolean(),
  scheduledAt: fc.option(date),
  launchedAt: fc.option(date),
  terminatedAt: fc.option(date),
  metadata: dictionary,
  adminMetadata: dictionary,
  ...stamps,
});

const snapshots: fc.Arbitrary<Snapshot> = fc.record({
  id: fc.uuid(),
  volumeId: fc.uuid(),
  userId: orNull,
  projectId: orNull,
  status: fc.constantFrom('creating', 'available', 'deleting'),
  progress: orNull,
  volumeSizeGb: fc.nat(),
  displayName: orNull,
  displayDescription: orNull,
  providerLocation: orNull,
  providerId: orNull,
  providerAuth: orNull,
  volumeTypeId: fc.uuid(),
  encryptionKeyId: orNull,
  groupSnapshotId: orNull,
  useQuota: fc.boolean(),
  metadata: dictionary,
  ...stamps,
});

const attachments: fc.Arbitrary<Attachment> = fc.record({
  id: fc.uuid(),
  volumeId: fc.uuid(),
  instanceId: orNull,
  attachedHost: orNull,
  mountpoint: orNull,
  attachMode: fc.constantFrom('rw', 'ro', null),
  attachStatus: fc.constantFrom('reserved', 'attaching', 'attached', 'detaching', 'error_detaching'),
  connector: fc.option(dictionary),
  connectionInfo: fc.option(dictionary),
  attachTime: fc.option(date),
  detachTime: fc.option(date),
  ...stamps,
});

const types: fc.Arbitrary<VolumeType> = fc.record(
  {
    id: fc.uuid(),
    name: text,
    description: orNull,
    isPublic: fc.boolean(),
    qosSpecsId: orNull,
    extraSpecs: dictionary,
    ...stamps,
  },
  { noNullPrototype: true },
);

const rows = fc
  .record({ volume: volumes, type: types, attachments: fc.array(attachments, { maxLength: 2 }), snapshot: snapshots })
  .map((rows) => ({ ...rows, snapshot: { ...rows.snapshot, volumeId: rows.volume.id } }));

describe('a captured request, taken and sent on', () => {
  for (const [method, owner] of sent) {
    const topic = owner === 'cinder-scheduler' ? owner : 'cinder-volume';
    const message = readCapturedMessages().find(({ file }) => file === `rpc.${topic}.${method}.json`)!;

    it(`${method} of ${topic} is the same message`, () => {
      const received = receive(topic, message, () => 'attachment');
      assert.ok(received.kind === 'operation');
      const decoded = decodeArguments(topic, method, message.args);
      assert.ok(decoded.ok);
      const operation = operationOf(method, owner, received.request.resourceId, received.request.arguments);
      const ours = operationMessage(operation, rowsOf(decoded.value), newest);
      assert.deepEqual([ours.version, ours.kind === 'call'], [message.version, message.isCall]);
      assert.equal(ours.server, topic === owner ? null : owner);
      assert.deepEqual(comparable(method, ours.args), comparable(method, message.args));
    });
  }
});

describe('any operation', () => {
  it('arrives as it was sent, at the newest peer and at an older one', () => {
    const method = fc.constantFrom(...sent);
    const pins = fc.constantFrom(newest, { rpcVersion: '3.9', objectHistory: '1.38' } as const);
    fc.assert(
      fc.property(
        method,
        rows,
        pins,
        fc.infiniteStream(fc.string({ minLength: 1 })),
        ([method, owner], any, pins, texts) => {
          const rows = { ...any, volume: { ...any.volume, encryptionKeyId: null } };
          const text = () => texts.next().value as string;
          const volume = rows.volume.id;
          const args = argumentsOf(method, owner, rows, text);
          const resourceId = /snapshot/.test(method) ? rows.snapshot.id : /^attachment_/.test(method) ? text() : volume;
          const message = operationMessage(operationOf(method, owner, resourceId, args), rows, pins);
          const wire = JSON.parse(JSON.stringify(message));
          const received = receive(message.topic, wire, () => String(args.attachmentId));
          assert.ok(received.kind === 'operation', JSON.stringify(received));
          assert.deepEqual(received.ignored, []);
          assert.equal(received.request.resourceId, resourceId);
          assert.deepEqual(received.request.arguments, args);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('goes to an older peer with objects that it reads', () => {
    const [one] = fc.sample(rows, { numRuns: 1, seed: 1 });
    const versions = (objectHistory: '1.38' | '1.39') => {
      const operation = operationOf('delete_volume', 'node@lvm', 'x', { force: false, cascade: false });
      const { args } = operationMessage(operation, one!, { ...newest, objectHistory });
      const { 'versioned_object.version': version, 'versioned_object.data': data } = args.volume as Record<
        string,
        object
      >;
      return [version, 'use_quota' in data!];
    };
    assert.deepEqual(
      [versions('1.39'), versions('1.38')],
      [
        ['1.9', true],
        ['1.8', false],
      ],
    );
  });

  it('is refused for a peer that has no such method', () => {
    const [one] = fc.sample(rows, { numRuns: 1, seed: 1 });
    const send = (method: string, owner: string, rpcVersion: string, args = {}) =>
      operationMessage(operationOf(method, owner, 'x', args), one!, { ...newest, rpcVersion });
    const update = { volumeId: 'v', connector: {}, created: false };
    assert.equal(send('attachment_update', 'node@lvm', '3.9', update).version, '3.9');
    assert.throws(
      () => send('attachment_update', 'node@lvm', '3.8', update),
      (error) => isFailure(error, 'NotImplemented'),
    );
    assert.throws(
      () => send('delete_volume', 'cinder-scheduler', '3.12'),
      (error) => isFailure(error, 'NotImplemented'),
    );
    assert.throws(
      () => send('constructor', 'node@lvm', '3.18'),
      (error) => isFailure(error, 'NotImplemented'),
    );
  });
});

describe('rows as versioned objects', () => {
  const again = <N extends ObjectName>(name: N, object: VersionedObject<N>): VersionedObject<N> => {
    const decoded = decodeObject(name, JSON.parse(JSON.stringify(encodeValue(object))));
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.deepEqual(decoded.ignored, []);
    return decoded.value;
  };

  it('come back as they were', () => {
    fc.assert(
      fc.property(rows, (rows) => {
        const volume = again('Volume', volumeToObject(rows));
        const isLeaving = rows.volume.attachStatus === 'detaching';
        const attachStatus = isLeaving ? 'attached' : rows.volume.attachStatus;
        assert.deepEqual(volumeFromObject(volume), { ...rows.volume, attachStatus });
        assert.deepEqual(volumeTypeFromObject(volume.fields.volume_type!), rows.type);
        assert.deepEqual(volumeTypeToObject(rows.type, ['p']).fields.projects, ['p']);
        assert.deepEqual(snapshotFromObject(again('Snapshot', snapshotToObject(rows.snapshot))), rows.snapshot);
        for (const attachment of rows.attachments) {
          const back = attachmentFromObject(again('VolumeAttachment', attachmentToObject(attachment)));
          const status = attachment.attachStatus === 'detaching' ? 'attached' : attachment.attachStatus;
          assert.deepEqual(back, { ...attachment, attachStatus: status });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('have from an object what it has set, and nothing else', () => {
    const partial = new VersionedObject('Volume', '1.9', { id: 'v', host: null });
    assert.deepEqual(volumeFromObject(partial), { id: 'v', host: null });
  });
});

function operationOf(method: string, owner: string, resourceId: string, args: object): Operation {
  const row = { id: 'o', method, owner, resourceId, arguments: args, state: 'queued' };
  return row as unknown as Operation;
}

/** What the sender had loaded, as far as its message tells. */
function rowsOf(args: Readonly<Record<string, unknown>>): WireRows {
  const snapshot = args.snapshot as VersionedObject<'Snapshot'> | undefined;
  const volume = (args.volume ?? args.vref ?? snapshot?.fields.volume) as VersionedObject<'Volume'> | undefined;
  const { volume_type: type, volume_attachment: attachments } = volume?.fields ?? {};
  return {
    volume: {
      ...volumeFromObject(volume ?? new VersionedObject('Volume', '1.9', { id: String(args.volume_id) })),
    } as Volume,
    type: (type ? volumeTypeFromObject(type) : {}) as VolumeType,
    attachments: (attachments?.fields.objects ?? []).map((object) => attachmentFromObject(object) as Attachment),
    snapshot: snapshot === undefined ? null : (snapshotFromObject(snapshot) as Snapshot),
  };
}

/**
 * A message without what a sender may have loaded or not, what it had changed and not saved, the quota that it left
 * open, and fractions of seconds.
 */
function comparable(method: OperationMethod, args: unknown): unknown {
  const unloaded =
    method === 'attachment_delete' ? ['metadata', 'admin_metadata', 'volume_type', 'volume_attachment'] : [];
  const text = JSON.stringify(args).replace(/(\d\d:\d\d:\d\d)\.\d{6}"/g, '$1.000000"');
  const message = JSON.parse(text, (key, value) => {
    if (key === 'reservations') return [];
    if (key === 'versioned_object.changes') return value.toSorted();
    if (value === null || typeof value !== 'object') return value;
    for (const name of lazy[value['versioned_object.name']] ?? []) delete value['versioned_object.data'][name];
    if (value['versioned_object.name'] === 'Volume') {
      for (const name of unloaded) delete value['versioned_object.data'][name];
      delete value['versioned_object.changes'];
    }
    return value;
  });
  // Placed meanwhile: the spec was made before that.
  for (const spec of [message.request_spec?.['versioned_object.data'], message.filter_properties?.request_spec]) {
    const volume = spec?.volume?.['versioned_object.data'] ?? spec?.volume;
    for (const name of ['host', 'scheduled_at', 'updated_at']) delete volume?.[name];
  }
  return message;
}

const lazy: Readonly<Record<string, readonly string[]>> = {
  Volume: ['glance_metadata', 'snapshots'],
  VolumeAttachment: ['volume'],
  Snapshot: ['volume'],
};

function argumentsOf(
  method: OperationMethod,
  owner: string,
  { volume }: WireRows,
  text: () => string,
): Record<string, unknown> {
  const connector = { host: text(), initiator: text(), multipath: false };
  switch (method) {
    case 'create_volume': {
      const { snapshotId, sourceVolumeId, host } = volume;
      const copied = sourceVolumeId === null ? { kind: 'blank' } : { kind: 'volume', volumeId: sourceVolumeId };
      const source = snapshotId === null ? copied : { kind: 'snapshot', snapshotId };
      const isPinned = owner !== 'cinder-scheduler' && (source.kind !== 'blank' || volume.bootable);
      return {
        source,
        pinnedHost: isPinned ? host : null,
        availabilityZone: volume.availabilityZone,
        excludedHosts: [text(), text()].filter((tried) => tried !== host),
        failures: {},
      };
    }
    case 'delete_volume':
      return { force: false, cascade: volume.multiattach };
    case 'extend_volume':
      return { newSizeGb: volume.sizeGb, reservations: [] };
    case 'retype':
      return { newTypeId: text(), host: volume.host, reservations: [] };
    case 'attachment_update':
      return { volumeId: volume.id, connector, created: false };
    case 'initialize_connection':
      return { connector };
    case 'terminate_connection':
      return { connector: volume.multiattach ? connector : null, force: volume.bootable };
    case 'attach_volume':
      return { attachmentId: text(), instanceId: null, hostName: text(), mountpoint: text(), mode: 'ro' };
    case 'detach_volume':
      return { attachmentId: volume.multiattach ? text() : null };
    case 'create_snapshot':
    case 'delete_snapshot':
    case 'attachment_delete':
      return { volumeId: volume.id };
  }
}
