/** What a scheduler is told about a volume to place, and what it passes on to the volume service. */

import { makeObject, type VersionedObject } from '../objects/objects.ts';
import { plainCopy } from '../objects/plain-copy.ts';
import type { RequestArguments } from '../requests.ts';
import { type VolumeRows, volumeToObject, volumeTypeToObject } from './models.ts';

type Source = RequestArguments<'create_volume'>['source'];

/** The request spec of create_volume. `reservations`: quota that the receiver's side commits; ours is settled before. */
export function requestSpec(rows: VolumeRows, source: Source): VersionedObject<'RequestSpec'> {
  const { volume, type } = rows;
  const snapshotId = source.kind === 'snapshot' ? source.snapshotId : null;
  const sourceVolumeId = source.kind === 'volume' ? source.volumeId : null;
  const properties = {
    attach_status: 'detached',
    availability_zone: volume.availabilityZone,
    cgsnapshot_id: null,
    consistencygroup_id: volume.consistencyGroupId,
    group_id: volume.groupId,
    display_description: volume.displayDescription,
    display_name: volume.displayName,
    encryption_key_id: volume.encryptionKeyId,
    metadata: volume.metadata,
    multiattach: volume.multiattach,
    project_id: volume.projectId,
    qos_specs: null,
    reservations: [],
    size: volume.sizeGb,
    snapshot_id: snapshotId,
    source_volid: sourceVolumeId,
    status: 'creating',
    user_id: volume.userId,
    volume_type_id: volume.volumeTypeId,
  };
  const fields = {
    consistencygroup_id: volume.consistencyGroupId,
    group_id: volume.groupId,
    cgsnapshot_id: null,
    image_id: null,
    snapshot_id: snapshotId,
    source_volid: sourceVolumeId,
    volume_id: volume.id,
    volume: volumeToObject(rows),
    volume_type: volumeTypeToObject(type, []),
    volume_properties: makeObject('VolumeProperties', properties, 'all'),
    backup_id: null,
    availability_zones: volume.availabilityZone === null ? null : [volume.availabilityZone],
  };
  return makeObject('RequestSpec', fields, 'all');
}

/**
 * The filter properties that go to the volume service along with the spec. `tried`: every place that the volume was
 * sent to, oldest first, the one that it goes to now included.
 */
export function filterProperties(
  { volume, type }: VolumeRows,
  spec: VersionedObject<'RequestSpec'>,
  tried: readonly string[],
): Record<string, unknown> {
  return {
    retry: retryOf(tried),
    request_spec: plainCopy(spec),
    config_options: {},
    volume_type: volumeTypeToObject(type, []),
    resource_type: volumeTypeToObject(type, []),
    size: volume.sizeGb,
    availability_zone: volume.availabilityZone,
    user_id: volume.userId,
    metadata: volume.metadata,
    qos_specs: null,
  };
}

/** What schedulers keep of the places that a volume was sent to; `hosts` is for older ones. */
export function retryOf(tried: readonly string[]): Record<string, unknown> {
  return { num_attempts: tried.length, backends: tried, hosts: tried };
}
