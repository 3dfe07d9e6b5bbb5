/**
 * What notifications say of a volume or a snapshot, field by field as listeners of a Cinder know it, without the secrets
 * of a connection. Pure.
 */
import { redactFields } from '../../log/redact.ts';
import type { Attachment } from '../../model/attachment.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Volume } from '../../model/volume.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import { formatPlainDate, plainCopy } from '../objects/plain-copy.ts';
import type { RequestArguments } from '../requests.ts';
import { attachmentToObject, type VolumeRows, volumeTypeToObject } from './models.ts';
import { requestSpec } from './request-spec.ts';

type Usage = Readonly<Record<string, unknown>>;

export function volumeUsage(volume: Volume, attachments: readonly Attachment[]): Usage {
  return {
    tenant_id: volume.projectId,
    host: volume.host,
    user_id: volume.userId,
    availability_zone: volume.availabilityZone,
    volume_id: volume.id,
    volume_type: volume.volumeTypeId,
    display_name: volume.displayName,
    launched_at: isoDate(volume.launchedAt ?? volume.createdAt),
    created_at: isoDate(volume.createdAt),
    status: volume.status,
    snapshot_id: volume.snapshotId,
    size: volume.sizeGb,
    replication_status: volume.replicationStatus,
    replication_extended_status: null,
    replication_driver_data: null,
    metadata: Object.entries(volume.metadata).map(([key, value]) => ({ key, value })),
    volume_attachment: attachments.map(attachmentUsage),
  };
}

export function snapshotUsage(snapshot: Snapshot, volume: Pick<Volume, 'availabilityZone'> | null): Usage {
  return {
    tenant_id: snapshot.projectId,
    user_id: snapshot.userId,
    availability_zone: volume?.availabilityZone ?? null,
    volume_id: snapshot.volumeId,
    volume_size: snapshot.volumeSizeGb,
    snapshot_id: snapshot.id,
    display_name: snapshot.displayName,
    created_at: isoDate(snapshot.createdAt),
    status: snapshot.status,
    deleted: snapshot.deleted ? 'True' : '',
    metadata: pythonDict(snapshot.metadata),
  };
}

export function volumeTypeUsage(type: VolumeType): Usage {
  return { volume_types: plainCopyOf(volumeTypeToObject(type)) };
}

/** A volume that no place was found for. */
export function unplacedUsage(
  rows: VolumeRows,
  source: RequestArguments<'create_volume'>['source'],
  reason: string,
): Usage {
  const spec = plainCopyOf(requestSpec(rows, source));
  const { volume_properties: properties } = spec;
  return {
    request_spec: spec,
    volume_properties: properties,
    volume_id: rows.volume.id,
    state: 'error',
    method: 'create_volume',
    reason,
  };
}

function attachmentUsage(attachment: Attachment): Usage {
  const { connectionInfo, connector } = attachment;
  const { project_id: _, volume_host: __, ...fields } = plainCopyOf(attachmentToObject(attachment));
  return {
    ...fields,
    connection_info: connectionInfo === null ? null : JSON.stringify(redactFields(connectionInfo)),
    connector: connector === null ? null : JSON.stringify(redactFields(connector)),
  };
}

/** Without what is secret by its name, at any depth. */
function plainCopyOf(object: Parameters<typeof plainCopy>[0]): Record<string, unknown> {
  return withoutSecrets(plainCopy(object)) as Record<string, unknown>;
}

const SECRET_FIELDS: readonly string[] = ['provider_auth', 'auth_password', 'discovery_auth_password'];

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, SECRET_FIELDS.includes(key) ? null : withoutSecrets(item)]),
  );
}

/** `2026-01-31T12:00:00.250000+00:00`; a whole second has no fraction. */
function isoDate(date: Date): string {
  return `${formatPlainDate(date).replace(/\.0{6}$/, '')}+00:00`;
}

/** Text as Python writes a dictionary of texts; nothing for an empty one. */
function pythonDict(values: Readonly<Record<string, string>>): string {
  const entries = Object.entries(values);
  if (entries.length === 0) return '';
  return `{${entries.map(([key, value]) => `${pythonText(key)}: ${pythonText(value)}`).join(', ')}}`;
}

function pythonText(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  if (text.includes("'") && !text.includes('"')) return `"${escaped}"`;
  return `'${escaped.replaceAll("'", "\\'")}'`;
}
