/** os-attach and os-detach: the older calls that record, and end, a consumer. */
import { randomUUID } from 'node:crypto';
import { settleVolumeStatus } from '../../db/settle-volume.ts';
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { VolumeStatus } from '../../model/status.ts';
import type { ApiServices } from '../route.ts';
import { backendOf } from './create-attachment.ts';
import { findVolume } from './find.ts';
import { performOperation, recordOperation } from './record-operation.ts';
import { lockVolume, wrongStatus } from './volume-status.ts';

export interface AttachVolume {
  readonly instanceId: string | null;
  readonly hostName: string | null;
  readonly mountpoint: string;
  readonly mode: 'rw' | 'ro';
}

/** Returns when the volume is in use. Attaching the same instance or host again changes nothing. InvalidVolume says why not. */
export async function attachVolume(
  services: ApiServices,
  context: RequestContext,
  id: string,
  input: AttachVolume,
): Promise<void> {
  const operation = await services.store.transaction(async (tx) => {
    const volume = await lockVolume(tx, await findVolume(tx, context, id));
    if (volume.adminMetadata.readonly === 'True' && input.mode !== 'ro') {
      throw failure('InvalidVolume', { reason: `volume ${id} is read-only; attach it with mode ro.` });
    }
    const accepted: readonly VolumeStatus[] = ['available', 'reserved', 'attaching'];
    const shared: readonly VolumeStatus[] = volume.multiattach ? [...accepted, 'in-use'] : accepted;
    const attachments = await tx.attachments.listByVolume(id);
    const same = attachments.find(({ attachStatus, instanceId, attachedHost }) => {
      const byInstance = input.instanceId !== null && instanceId === input.instanceId;
      const byHost = input.instanceId === null && input.hostName !== null && attachedHost === input.hostName;
      return attachStatus === 'attached' && (byInstance || byHost);
    });
    if (same !== undefined) return null;
    if (!shared.includes(volume.status)) throw wrongStatus(volume, 'attach', shared);
    return recordOperation(tx, context, {
      resourceType: 'volume',
      resourceId: id,
      method: 'attach_volume',
      arguments: { attachmentId: randomUUID(), ...input },
      owner: backendOf(volume),
    });
  });
  if (operation === null) return;
  await performOperation(services, context, operation);
  await noteMode(services.store, id, input.mode);
}

/**
 * Ends a consumer: the one named, or the only one. InvalidVolume where there are several and none is named. A volume
 * that nobody has is set to what it is: available.
 */
export async function detachVolume(
  services: ApiServices,
  context: RequestContext,
  id: string,
  attachmentId: string | null,
): Promise<void> {
  const operation = await services.store.transaction(async (tx) => {
    const volume = await lockVolume(tx, await findVolume(tx, context, id));
    if (volume.status === 'maintenance') throw wrongStatus(volume, 'detach', ['in-use', 'detaching']);
    const attachments = await tx.attachments.listByVolume(id);
    if (attachmentId !== null && !attachments.some((attachment) => attachment.id === attachmentId)) {
      throw failure('InvalidVolume', { reason: `volume ${id} has no attachment ${attachmentId}.` });
    }
    if (attachmentId === null && attachments.length > 1) {
      const ids = attachments.map((attachment) => attachment.id).join(', ');
      throw failure('InvalidVolume', {
        reason: `volume ${id} has several attachments: ${ids}. Name one by attachment_id.`,
      });
    }
    if (attachments.length === 0) {
      await settleVolumeStatus(tx, id);
      return null;
    }
    return recordOperation(tx, context, {
      resourceType: 'volume',
      resourceId: id,
      method: 'detach_volume',
      arguments: { attachmentId },
      owner: backendOf(volume),
    });
  });
  if (operation === null) return;
  await performOperation(services, context, operation);
  await noteMode(services.store, id, null);
}

/** Clients of the older calls read from the volume how it is attached; null where nobody has it any more. */
async function noteMode(store: Store, id: string, mode: AttachVolume['mode'] | null): Promise<void> {
  await store.transaction(async (tx) => {
    const volume = await tx.volumes.lock(id);
    if (volume === null) return;
    const { attached_mode: before, ...others } = volume.adminMetadata;
    if (mode !== null) {
      await tx.volumes.setAdminMetadata(id, { readonly: 'False', ...others, attached_mode: mode });
    } else if (before !== undefined && volume.attachStatus !== 'attached') {
      await tx.volumes.setAdminMetadata(id, others);
    }
  });
}
