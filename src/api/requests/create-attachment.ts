/** POST /attachments: reserves a volume for one consumer, and connects it where a connector is given. */
import { randomUUID } from 'node:crypto';
import { settleVolumeStatus } from '../../db/settle-volume.ts';
import type { Store } from '../../db/store.ts';
import type { Attachment } from '../../model/attachment.ts';
import { serviceHost } from '../../model/backend.ts';
import type { Connector } from '../../model/connector.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { type VolumeStatus, volumeSteps } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import type { ApiServices } from '../route.ts';
import { findVolume } from './find.ts';
import { performOperation, recordOperation } from './record-operation.ts';
import { lockVolume, wrongStatus } from './volume-status.ts';

export interface CreateAttachment {
  readonly volumeId: string;
  readonly instanceId: string | null;
  readonly connector: Connector | null;
  readonly mode: 'rw' | 'ro' | null;
}

/**
 * Answers the attachment, connected where a connector was given. InvalidVolume for a volume that is not free. Where the
 * backend fails, its failure is thrown and the attachment is taken away again by the volume service.
 */
export async function createAttachment(
  services: ApiServices,
  context: RequestContext,
  input: CreateAttachment,
): Promise<Attachment> {
  const id = randomUUID();
  const { attachment, operation } = await services.store.transaction(async (tx) => {
    const volume = await reserve(tx, context, input);
    const attachment = await tx.attachments.insert({
      id,
      volumeId: volume.id,
      attachStatus: 'reserved',
      instanceId: input.instanceId,
      attachMode: input.mode ?? modeOf(volume),
    });
    await settleVolumeStatus(tx, volume.id);
    return {
      attachment,
      operation: input.connector && (await recordConnect(tx, context, volume, id, input.connector)),
    };
  });
  if (operation === null) return attachment;
  await performOperation(services, context, operation);
  return (await services.store.attachments.get(id)) ?? attachment;
}

/** Records that the volume's backend is to connect the attachment. `created`: a failure takes the attachment away again. */
export async function recordConnect(
  tx: Store,
  context: RequestContext,
  volume: Volume,
  attachmentId: string,
  connector: Connector,
  created = true,
) {
  return recordOperation(tx, context, {
    resourceType: 'attachment',
    resourceId: attachmentId,
    method: 'attachment_update',
    arguments: { volumeId: volume.id, connector, created },
    owner: backendOf(volume),
  });
}

/** The `host@backend` that has the volume. */
export function backendOf(volume: Volume): string {
  if (volume.host !== null) return serviceHost(volume.host);
  throw failure('InvalidVolume', { reason: `volume ${volume.id} is on no backend (its status is ${volume.status}).` });
}

/** Claims the volume: one conditional UPDATE decides between several that come at once. Returns it locked. */
async function reserve(tx: Store, context: RequestContext, input: CreateAttachment): Promise<Volume> {
  const found = await findVolume(tx, context, input.volumeId);
  const { from, to } = volumeSteps.reserveForAttachment;
  const shared: readonly VolumeStatus[] = [...from, 'reserved', 'attaching', 'in-use'];
  const accepted = found.multiattach ? shared : from;
  const condition = { status: accepted, multiattach: found.multiattach };
  const reserved = await tx.volumes.updateIf(found.id, condition, { status: to });
  if (reserved !== null) return reserved;
  const volume = await lockVolume(tx, found);
  if (await isSameInstance(tx, volume, input.instanceId)) return volume;
  throw wrongStatus(volume, 'reserve', accepted);
}

/** An instance that moves to another host attaches there before it detaches here. */
async function isSameInstance(tx: Store, volume: Volume, instanceId: string | null): Promise<boolean> {
  if (instanceId === null || !['in-use', 'reserved'].includes(volume.status)) return false;
  return (await tx.attachments.listByVolume(volume.id)).some((attachment) => attachment.instanceId === instanceId);
}

function modeOf(volume: Volume): 'ro' | null {
  return volume.adminMetadata.readonly === 'True' ? 'ro' : null;
}
