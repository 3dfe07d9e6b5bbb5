/** A volume's status where it follows from its attachments. Call these inside a transaction. */
import type { Store } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import { statusFromAttachments, type VolumeStatus } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';

/** In these the attachments alone decide; in any other something else is going on with the volume. */
const followsAttachments: readonly VolumeStatus[] = [
  'available',
  'reserved',
  'attaching',
  'in-use',
  'detaching',
  'error',
];

/**
 * Holds back every other change of this volume's row until the transaction ends, and returns the row as it is then.
 * Whoever changes attachments locks first and reads them after it, so the last one to commit has seen all the others.
 */
export async function lockVolume(tx: Store, volume: Volume): Promise<Volume> {
  const { id, multiattach, updatedAt } = volume;
  // An UPDATE that changes nothing is the store's one way to take a row's lock.
  const locked = await tx.volumes.updateIf(id, { multiattach }, { updatedAt });
  if (locked === null)
    throw failure('Overtaken', { what: `Volume ${id}`, reason: 'it was deleted or retyped. Ask again.' });
  return locked;
}

/** Sets the status of a locked volume to what its attachments say. */
export async function settleVolumeStatus(tx: Store, volumeId: string): Promise<void> {
  const attachments = await tx.attachments.listByVolume(volumeId);
  const settled = statusFromAttachments(attachments.map(({ attachStatus }) => attachStatus));
  await tx.volumes.updateIf(volumeId, { status: followsAttachments }, settled);
}

/** `InvalidVolume` that says the status found and those that would do. */
export function wrongStatus(volume: Volume, verb: string, wanted: readonly VolumeStatus[]) {
  return failure('InvalidVolume', {
    reason: `volume ${volume.id} is ${volume.status}; to ${verb} it must be ${wanted.join(' or ')}.`,
  });
}
