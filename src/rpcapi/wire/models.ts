/**
 * Our rows <-> versioned objects, by tables of names. From an object come only the fields that it has set.
 * The objects carry what the rows hold, secrets included (provider_auth, connection_info): never log them.
 */
import type { Attachment } from '../../model/attachment.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Volume } from '../../model/volume.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import { type FieldsOf, makeObject, type VersionedObject } from '../objects/objects.ts';

const stamps = {
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  deletedAt: 'deleted_at',
  deleted: 'deleted',
} as const;

const volumeNames = {
  id: 'id',
  nameId: '_name_id',
  userId: 'user_id',
  projectId: 'project_id',
  useQuota: 'use_quota',
  snapshotId: 'snapshot_id',
  clusterName: 'cluster_name',
  host: 'host',
  sizeGb: 'size',
  availabilityZone: 'availability_zone',
  status: 'status',
  attachStatus: 'attach_status',
  migrationStatus: 'migration_status',
  scheduledAt: 'scheduled_at',
  launchedAt: 'launched_at',
  terminatedAt: 'terminated_at',
  displayName: 'display_name',
  displayDescription: 'display_description',
  providerId: 'provider_id',
  providerLocation: 'provider_location',
  providerAuth: 'provider_auth',
  volumeTypeId: 'volume_type_id',
  sourceVolumeId: 'source_volid',
  encryptionKeyId: 'encryption_key_id',
  consistencyGroupId: 'consistencygroup_id',
  groupId: 'group_id',
  bootable: 'bootable',
  multiattach: 'multiattach',
  replicationStatus: 'replication_status',
  previousStatus: 'previous_status',
  metadata: 'metadata',
  adminMetadata: 'admin_metadata',
  serviceUuid: 'service_uuid',
  sharedTargets: 'shared_targets',
  ...stamps,
} as const satisfies Record<keyof Volume, keyof FieldsOf<'Volume'>>;

const snapshotNames = {
  id: 'id',
  userId: 'user_id',
  projectId: 'project_id',
  useQuota: 'use_quota',
  volumeId: 'volume_id',
  groupSnapshotId: 'group_snapshot_id',
  status: 'status',
  progress: 'progress',
  volumeSizeGb: 'volume_size',
  displayName: 'display_name',
  displayDescription: 'display_description',
  encryptionKeyId: 'encryption_key_id',
  volumeTypeId: 'volume_type_id',
  providerLocation: 'provider_location',
  providerId: 'provider_id',
  providerAuth: 'provider_auth',
  metadata: 'metadata',
  ...stamps,
} as const satisfies Record<keyof Snapshot, keyof FieldsOf<'Snapshot'>>;

const attachmentNames = {
  id: 'id',
  volumeId: 'volume_id',
  instanceId: 'instance_uuid',
  attachedHost: 'attached_host',
  mountpoint: 'mountpoint',
  attachTime: 'attach_time',
  detachTime: 'detach_time',
  attachStatus: 'attach_status',
  attachMode: 'attach_mode',
  connectionInfo: 'connection_info',
  connector: 'connector',
  ...stamps,
} as const satisfies Record<keyof Attachment, keyof FieldsOf<'VolumeAttachment'>>;

const volumeTypeNames = {
  id: 'id',
  name: 'name',
  description: 'description',
  isPublic: 'is_public',
  extraSpecs: 'extra_specs',
  qosSpecsId: 'qos_specs_id',
  ...stamps,
} as const satisfies Record<keyof VolumeType, keyof FieldsOf<'VolumeType'>>;

/** What a service that loads a volume has with it. */
export interface VolumeRows {
  readonly volume: Volume;
  readonly type: VolumeType;
  readonly attachments: readonly Attachment[];
}

export function volumeToObject({ volume, type, attachments }: VolumeRows): VersionedObject<'Volume'> {
  return makeObject('Volume', {
    ...rename(volume, volumeNames),
    attach_status: peersWord(volume.attachStatus),
    ec2_id: null,
    provider_geometry: null,
    replication_extended_status: null,
    replication_driver_data: null,
    volume_type: volumeTypeToObject(type),
    volume_attachment: makeObject('VolumeAttachmentList', { objects: attachments.map(attachmentToObject) }),
  } as FieldsOf<'Volume'>);
}

export function snapshotToObject(snapshot: Snapshot): VersionedObject<'Snapshot'> {
  return makeObject('Snapshot', { ...rename(snapshot, snapshotNames), cgsnapshot_id: null } as FieldsOf<'Snapshot'>);
}

export function attachmentToObject(attachment: Attachment): VersionedObject<'VolumeAttachment'> {
  return makeObject('VolumeAttachment', {
    ...rename(attachment, attachmentNames),
    attach_status: peersWord(attachment.attachStatus),
  } as FieldsOf<'VolumeAttachment'>);
}

/** `projects`: the projects that may use a type that is not public; left unset unless given. */
export function volumeTypeToObject(type: VolumeType, projects?: readonly string[]): VersionedObject<'VolumeType'> {
  const fields = rename(type, volumeTypeNames) as FieldsOf<'VolumeType'>;
  return makeObject('VolumeType', projects === undefined ? fields : { ...fields, projects });
}

export function volumeFromObject(object: VersionedObject<'Volume'>): Partial<Volume> {
  return restore(object.fields, volumeNames) as Partial<Volume>;
}

export function snapshotFromObject(object: VersionedObject<'Snapshot'>): Partial<Snapshot> {
  return restore(object.fields, snapshotNames) as Partial<Snapshot>;
}

export function attachmentFromObject(object: VersionedObject<'VolumeAttachment'>): Partial<Attachment> {
  return restore(object.fields, attachmentNames) as Partial<Attachment>;
}

export function volumeTypeFromObject(object: VersionedObject<'VolumeType'>): Partial<VolumeType> {
  return restore(object.fields, volumeTypeNames) as Partial<VolumeType>;
}

/** Peers have no word for a consumer that is about to go, and refuse an object with one that they don't know. */
function peersWord<S extends string>(status: S): Exclude<S, 'detaching'> | 'attached' {
  return status === 'detaching' ? 'attached' : (status as Exclude<S, 'detaching'>);
}

type Names = Readonly<Record<string, string>>;

function rename(row: object, names: Names): Record<string, unknown> {
  const values = row as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [theirs, values[ours]]));
}

function restore(fields: object, names: Names): Record<string, unknown> {
  const values = fields as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(names).flatMap(([ours, theirs]) => (theirs in values ? [[ours, values[theirs]] as const] : [])),
  );
}
