/** Rows <-> models, by tables of column names. Pure. */
import type { Attachment } from '../model/attachment.ts';
import type { Operation } from '../model/operation.ts';
import type { Service } from '../model/service.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Volume } from '../model/volume.ts';
import type { VolumeType } from '../model/volume-type.ts';
import { formatUtc } from './time.ts';

export type Row = Record<string, unknown>;
/** Property of a model -> column of its table. */
export type ColumnMap = Readonly<Record<string, string>>;

const stampColumns = {
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  deletedAt: 'deleted_at',
  deleted: 'deleted',
} as const;

export const volumeColumns = {
  id: 'id',
  nameId: '_name_id',
  userId: 'user_id',
  projectId: 'project_id',
  host: 'host',
  clusterName: 'cluster_name',
  sizeGb: 'size',
  availabilityZone: 'availability_zone',
  status: 'status',
  attachStatus: 'attach_status',
  previousStatus: 'previous_status',
  migrationStatus: 'migration_status',
  replicationStatus: 'replication_status',
  displayName: 'display_name',
  displayDescription: 'display_description',
  providerLocation: 'provider_location',
  providerAuth: 'provider_auth',
  providerId: 'provider_id',
  snapshotId: 'snapshot_id',
  sourceVolumeId: 'source_volid',
  volumeTypeId: 'volume_type_id',
  bootable: 'bootable',
  multiattach: 'multiattach',
  encryptionKeyId: 'encryption_key_id',
  groupId: 'group_id',
  consistencyGroupId: 'consistencygroup_id',
  serviceUuid: 'service_uuid',
  sharedTargets: 'shared_targets',
  useQuota: 'use_quota',
  scheduledAt: 'scheduled_at',
  launchedAt: 'launched_at',
  terminatedAt: 'terminated_at',
  ...stampColumns,
} as const satisfies Record<Exclude<keyof Volume, 'metadata' | 'adminMetadata'>, string>;

export const snapshotColumns = {
  id: 'id',
  volumeId: 'volume_id',
  userId: 'user_id',
  projectId: 'project_id',
  status: 'status',
  progress: 'progress',
  volumeSizeGb: 'volume_size',
  displayName: 'display_name',
  displayDescription: 'display_description',
  providerLocation: 'provider_location',
  providerId: 'provider_id',
  providerAuth: 'provider_auth',
  volumeTypeId: 'volume_type_id',
  encryptionKeyId: 'encryption_key_id',
  groupSnapshotId: 'group_snapshot_id',
  useQuota: 'use_quota',
  ...stampColumns,
} as const satisfies Record<Exclude<keyof Snapshot, 'metadata'>, string>;

export const attachmentColumns = {
  id: 'id',
  volumeId: 'volume_id',
  instanceId: 'instance_uuid',
  attachedHost: 'attached_host',
  mountpoint: 'mountpoint',
  attachMode: 'attach_mode',
  attachStatus: 'attach_status',
  connector: 'connector',
  connectionInfo: 'connection_info',
  attachTime: 'attach_time',
  detachTime: 'detach_time',
  ...stampColumns,
} as const satisfies Record<keyof Attachment, string>;

export const volumeTypeColumns = {
  id: 'id',
  name: 'name',
  description: 'description',
  isPublic: 'is_public',
  qosSpecsId: 'qos_specs_id',
  ...stampColumns,
} as const satisfies Record<Exclude<keyof VolumeType, 'extraSpecs'>, string>;

export const serviceColumns = {
  id: 'id',
  uuid: 'uuid',
  host: 'host',
  binary: 'binary',
  topic: 'topic',
  reportCount: 'report_count',
  availabilityZone: 'availability_zone',
  disabled: 'disabled',
  disabledReason: 'disabled_reason',
  frozen: 'frozen',
  clusterName: 'cluster_name',
  activeBackendId: 'active_backend_id',
  replicationStatus: 'replication_status',
  rpcCurrentVersion: 'rpc_current_version',
  objectCurrentVersion: 'object_current_version',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
} as const satisfies Record<Exclude<keyof Service, 'heartbeatAgeSeconds'>, string>;

export const operationColumns = {
  id: 'id',
  resourceType: 'resource_type',
  resourceId: 'resource_id',
  method: 'method',
  arguments: 'arguments',
  requestId: 'request_id',
  userId: 'user_id',
  projectId: 'project_id',
  context: 'context',
  owner: 'owner',
  state: 'state',
  worker: 'worker',
  attempt: 'attempt',
  error: 'error',
  errorCode: 'error_code',
  result: 'result',
  createdAt: 'created_at',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
} as const satisfies Record<keyof Operation, string>;

export function toVolume(row: Row): Volume {
  return {
    ...pick(volumeColumns, row),
    sizeGb: row.size ?? 0,
    attachStatus: row.attach_status ?? 'detached',
    bootable: row.bootable === true,
    multiattach: row.multiattach === true,
    useQuota: row.use_quota !== false,
    ...stampsOf(row),
    metadata: textMap(row.metadata),
    adminMetadata: textMap(row.admin_metadata),
  } as unknown as Volume;
}

export function toSnapshot(row: Row): Snapshot {
  return {
    ...pick(snapshotColumns, row),
    volumeSizeGb: row.volume_size ?? 0,
    useQuota: row.use_quota !== false,
    ...stampsOf(row),
    metadata: textMap(row.metadata),
  } as unknown as Snapshot;
}

export function toAttachment(row: Row): Attachment {
  return {
    ...pick(attachmentColumns, row),
    connector: parseObject(row.connector),
    connectionInfo: parseObject(row.connection_info),
    ...stampsOf(row),
  } as unknown as Attachment;
}

export function toVolumeType(row: Row): VolumeType {
  return {
    ...pick(volumeTypeColumns, row),
    isPublic: row.is_public !== false,
    ...stampsOf(row),
    extraSpecs: textMap(row.extra_specs),
  } as unknown as VolumeType;
}

export function toService(row: Row): Service {
  return {
    ...pick(serviceColumns, row),
    uuid: row.uuid ?? '',
    availabilityZone: row.availability_zone ?? 'nova',
    disabled: row.disabled === true,
    frozen: row.frozen === true,
    createdAt: row.created_at ?? LONG_AGO,
    heartbeatAgeSeconds: row.heartbeat_age ?? Number.POSITIVE_INFINITY,
  } as unknown as Service;
}

export function toOperation(row: Row): Operation {
  return pick(operationColumns, row) as unknown as Operation;
}

/** Columns and values of the properties that are set; undefined ones are left out. Dates become UTC, objects JSON. */
export function toColumns(map: ColumnMap, values: object): Row {
  const columns: Row = {};
  for (const [key, value] of Object.entries(values)) {
    const column = map[key];
    if (column !== undefined && value !== undefined) columns[column] = toValue(value);
  }
  return columns;
}

function toValue(value: unknown): unknown {
  if (value instanceof Date) return formatUtc(value);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

function pick(map: ColumnMap, row: Row): Row {
  return Object.fromEntries(Object.entries(map).map(([key, column]) => [key, row[column] ?? null]));
}

/** Rows that others made may lack a time of creation. */
const LONG_AGO = new Date(0);

function stampsOf(row: Row): Row {
  return { createdAt: row.created_at ?? LONG_AGO, deleted: row.deleted === true };
}

/** JSON text of an object; null for none, and for what is no object (the text may be a secret, so it is in no error). */
export function parseObject(text: unknown): Record<string, unknown> | null {
  if (typeof text !== 'string' || text === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Row) : null;
  } catch {
    return null;
  }
}

function textMap(value: unknown): Record<string, string> {
  const entries = Object.entries((value ?? {}) as Record<string, string | null>);
  return Object.fromEntries(entries.map(([key, text]) => [key, text ?? '']));
}
