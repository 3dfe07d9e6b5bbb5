import { statusFromAttachments, type VolumeStatus } from '../model/status.ts';
import type { VolumeChanges } from '../model/volume.ts';
import type { Store } from './store.ts';

/** In these the attachments alone decide a volume's status; in any other something else is going on with it. */
export const followsAttachments = [
  'available',
  'reserved',
  'attaching',
  'in-use',
  'detaching',
  'error',
] as const satisfies readonly VolumeStatus[];

/**
 * Sets the status of a volume to what its attachments say, and the given columns with it. Inside a transaction that
 * has locked the volume before it changed an attachment. False where the volume's status does not follow them now.
 */
export async function settleVolumeStatus(tx: Store, volumeId: string, changes: VolumeChanges = {}): Promise<boolean> {
  const attachments = await tx.attachments.listByVolume(volumeId);
  const settled = statusFromAttachments(attachments.map(({ attachStatus }) => attachStatus));
  const condition = { status: followsAttachments };
  return (await tx.volumes.updateIf(volumeId, condition, { ...changes, ...settled })) !== null;
}
