/** Volumes as clients read them, by microversion. Pure. */
import type { Attachment } from '../../model/attachment.ts';
import type { Volume } from '../../model/volume.ts';
import type { Microversion } from '../route.ts';
import { linksTo } from './links.ts';
import { timestamp } from './timestamp.ts';

export interface VolumeViewContext {
  readonly version: Microversion;
  readonly isAdmin: boolean;
  /** `http://host:port/v3/<project>`. */
  readonly baseUrl: string;
}

export interface VolumeDetails {
  readonly volume: Volume;
  readonly typeName: string | null;
  readonly attachments: readonly Attachment[];
}

/** What lists without detail show. */
export function volumeSummary(volume: Volume, { baseUrl }: VolumeViewContext) {
  return { id: volume.id, name: volume.displayName, links: linksTo(baseUrl, 'volumes', volume.id) };
}

/** What the answer to a create, and an update, shows. */
export function volumeDetail(details: VolumeDetails, context: VolumeViewContext) {
  const { volume, typeName } = details;
  const { version, isAdmin } = context;
  return {
    id: volume.id,
    status: shownStatus(volume.status),
    size: volume.sizeGb,
    availability_zone: volume.availabilityZone,
    created_at: timestamp(volume.createdAt),
    updated_at: timestamp(volume.updatedAt),
    name: volume.displayName,
    description: volume.displayDescription,
    volume_type: typeName,
    snapshot_id: volume.snapshotId,
    source_volid: volume.sourceVolumeId,
    metadata: shownMetadata(volume),
    links: linksTo(context.baseUrl, 'volumes', volume.id),
    user_id: volume.userId,
    bootable: String(volume.bootable),
    encrypted: volume.encryptionKeyId !== null,
    replication_status: volume.replicationStatus,
    consistencygroup_id: volume.consistencyGroupId,
    multiattach: volume.multiattach,
    attachments: shownAttachments(details, isAdmin),
    ...(isAdmin ? { migration_status: volume.migrationStatus } : {}),
    ...(version >= 13 ? { group_id: volume.groupId } : {}),
    ...(isAdmin && version >= 21 ? { provider_id: volume.providerId } : {}),
    // Null means "decide by the initiator's host" since 3.69; clients before that know yes and no.
    ...(version >= 48
      ? {
          shared_targets: version >= 69 ? volume.sharedTargets : (volume.sharedTargets ?? true),
          service_uuid: volume.serviceUuid,
        }
      : {}),
    ...(isAdmin && version >= 61 ? { cluster_name: volume.clusterName } : {}),
    ...(version >= 63 ? { volume_type_id: volume.volumeTypeId } : {}),
    ...(version >= 64 && volume.encryptionKeyId !== null ? { encryption_key_id: volume.encryptionKeyId } : {}),
    ...(version >= 65 ? { consumes_quota: volume.useQuota } : {}),
  };
}

/** What show and detailed lists show: also where the volume lives and whose it is. */
export function volumeFull(details: VolumeDetails, context: VolumeViewContext) {
  const { volume } = details;
  return {
    ...volumeDetail(details, context),
    ...(context.isAdmin
      ? {
          'os-vol-host-attr:host': volume.host,
          'os-vol-mig-status-attr:migstat': volume.migrationStatus,
          'os-vol-mig-status-attr:name_id': volume.nameId,
        }
      : {}),
    'os-vol-tenant-attr:tenant_id': volume.projectId,
  };
}

/** Statuses that clients do not know show as the nearest that they do. */
function shownStatus(status: Volume['status']): string {
  if (status === 'managing') return 'creating';
  return status === 'error_managing' ? 'error' : status;
}

/** The user's metadata, and of the administrators' what the user may know. */
function shownMetadata({ metadata, adminMetadata }: Volume): Readonly<Record<string, string>> {
  const visible = Object.entries(adminMetadata).filter(([key]) => key === 'readonly' || key === 'attached_mode');
  return { ...metadata, ...Object.fromEntries(visible) };
}

function shownAttachments({ volume, attachments }: VolumeDetails, isAdmin: boolean) {
  return attachments
    .filter((attachment) => attachment.attachStatus === 'attached')
    .map((attachment) => ({
      id: volume.id,
      attachment_id: attachment.id,
      volume_id: volume.id,
      server_id: attachment.instanceId,
      host_name: isAdmin ? attachment.attachedHost : null,
      // A connector without a mountpoint: clients expect text there.
      device: attachment.mountpoint ?? (attachment.connector === null ? null : 'na'),
      attached_at: timestamp(attachment.attachTime),
    }));
}
