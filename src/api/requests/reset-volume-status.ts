/** os-reset_status of a volume: an administrator says what it is. Nothing is done to the backend. */
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { AttachStatus, VolumeStatus } from '../../model/status.ts';
import type { VolumeChanges } from '../../model/volume.ts';
import { announceVolume } from '../../service/announce.ts';
import type { ApiServices } from '../route.ts';
import { findVolume } from './find.ts';
import { lockVolume } from './volume-status.ts';

export interface ResetVolumeStatus {
  readonly status?: VolumeStatus;
  readonly attachStatus?: Extract<AttachStatus, 'attached' | 'detached'>;
  /** Null ends a migration. */
  readonly migrationStatus?: string | null;
}

export async function resetVolumeStatus(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  reset: ResetVolumeStatus,
): Promise<void> {
  if (reset.status === 'deleting') {
    throw failure('InvalidInput', { reason: 'a volume cannot be reset to deleting: nobody would delete it.' });
  }
  const before = await store.transaction(async (tx) => {
    const volume = await lockVolume(tx, await findVolume(tx, context, id));
    const attachments = await tx.attachments.listByVolume(id);
    if (reset.status === 'in-use' && attachments.length === 0) {
      throw failure('InvalidInput', { reason: `volume ${id} cannot be reset to in-use: it has no attachment.` });
    }
    await tx.volumes.updateIf(id, {}, reset satisfies VolumeChanges);
    if (reset.attachStatus !== 'detached') return volume;
    for (const attachment of attachments) await forgetAttachment(tx, attachment.id);
    const { attached_mode: _, ...adminMetadata } = volume.adminMetadata;
    await tx.volumes.setAdminMetadata(id, adminMetadata);
    return volume;
  });
  announceVolume(store, { event: 'reset_status.start', context, row: before });
  announceVolume(store, { event: 'reset_status.end', context, row: { ...before, ...reset }, reread: true });
}

async function forgetAttachment(tx: Store, attachmentId: string): Promise<void> {
  const now = new Date();
  const changes = { attachStatus: 'detached', detachTime: now, deletedAt: now, deleted: true } as const;
  await tx.attachments.updateIf(attachmentId, {}, changes);
}
