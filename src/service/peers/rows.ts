import type { Store } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import type { WireRows } from '../../rpcapi/wire/send.ts';

/** The rows that a message about the operation is made of. VolumeNotFound, SnapshotNotFound, VolumeTypeNotFound. */
export async function loadWireRows(store: Store, operation: Operation): Promise<WireRows> {
  const { resourceType, resourceId } = operation;
  const volumeId = resourceType === 'volume' ? resourceId : String(operation.arguments.volumeId);
  const [volume, attachments, snapshot] = await Promise.all([
    store.volumes.get(volumeId),
    store.attachments.listByVolume(volumeId),
    resourceType === 'snapshot' ? store.snapshots.get(resourceId) : null,
  ]);
  if (volume === null) throw failure('VolumeNotFound', { id: volumeId });
  if (resourceType === 'snapshot' && snapshot === null) throw failure('SnapshotNotFound', { id: resourceId });
  const type = await store.types.get(volume.volumeTypeId);
  if (type === null) throw failure('VolumeTypeNotFound', { id: volume.volumeTypeId });
  return { volume, type, attachments, snapshot };
}
