/** What a request names, as far as its caller may see it: others' things are not found. */
import type { Store } from '../../db/store.ts';
import type { Attachment } from '../../model/attachment.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Volume } from '../../model/volume.ts';
import type { VolumeType } from '../../model/volume-type.ts';

/** The project that reads are narrowed to: none for administrators. */
export function visibleProject(context: RequestContext): string | null {
  return context.isAdmin ? null : context.projectId;
}

export async function findVolume(store: Store, context: RequestContext, id: string): Promise<Volume> {
  const volume = await store.volumes.get(id, { projectId: visibleProject(context) });
  if (volume === null) throw failure('VolumeNotFound', { id });
  return volume;
}

export async function findAttachment(store: Store, context: RequestContext, id: string): Promise<Attachment> {
  const attachment = await store.attachments.get(id, { projectId: visibleProject(context) });
  if (attachment === null) throw failure('VolumeAttachmentNotFound', { id });
  return attachment;
}

/** Private types are found by administrators and by the projects that may use them. */
export async function findVolumeType(store: Store, context: RequestContext, id: string): Promise<VolumeType> {
  const type = await store.types.get(id);
  const mayUse =
    type !== null &&
    (type.isPublic || context.isAdmin || (await store.types.listAccess(id)).includes(context.projectId ?? ''));
  if (!mayUse) throw failure('VolumeTypeNotFound', { id });
  return type;
}
