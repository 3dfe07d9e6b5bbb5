/** os-reserve, os-unreserve, os-begin_detaching, os-roll_detaching: one conditional UPDATE each, no work behind it. */
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { type VolumeStatus, volumeSteps } from '../../model/status.ts';
import type { ApiServices } from '../route.ts';
import { findVolume } from './find.ts';
import { lockVolume, wrongStatus } from './volume-status.ts';

/** Claims a volume for the older attach calls. A multiattach volume may be in use. InvalidVolume says the status found. */
export async function reserveVolume({ store }: ApiServices, context: RequestContext, id: string): Promise<void> {
  const volume = await findVolume(store, context, id);
  const { multiattach } = volume;
  const accepted: readonly VolumeStatus[] = [
    ...volumeSteps.reserve.from,
    ...(multiattach ? (['in-use'] as const) : []),
  ];
  const { to } = volumeSteps.reserve;
  const reserved = await store.volumes.updateIf(id, { status: accepted, multiattach }, { status: to });
  if (reserved === null) throw wrongStatus(await findVolume(store, context, id), 'reserve', accepted);
}

/** Takes a claim back. Where there is none, nothing happens: callers clean up with it without knowing how far they got. */
export async function unreserveVolume({ store }: ApiServices, context: RequestContext, id: string): Promise<void> {
  await store.transaction(async (tx) => {
    await lockVolume(tx, await findVolume(tx, context, id));
    const attachments = await tx.attachments.listByVolume(id);
    const inUse = attachments.some(({ attachStatus }) => attachStatus === 'attached');
    const step = inUse ? volumeSteps.unreserveShared : volumeSteps.unreserve;
    await tx.volumes.updateIf(id, { status: step.from }, { status: step.to });
  });
}

/** Says that a consumer is about to let go. InvalidVolume unless the volume is in use, attached and not migrating. */
export async function beginDetaching({ store }: ApiServices, context: RequestContext, id: string): Promise<void> {
  await findVolume(store, context, id);
  const { from, to } = volumeSteps.beginDetaching;
  const condition = { status: from, attachStatus: 'attached', migrationStatus: null };
  if ((await store.volumes.updateIf(id, condition, { status: to })) !== null) return;
  const { status, attachStatus, migrationStatus } = await findVolume(store, context, id);
  const migrating = migrationStatus === null ? '' : ` and migrating (${migrationStatus})`;
  const found = `it is ${status}, ${attachStatus}${migrating}`;
  throw failure('InvalidVolume', { reason: `volume ${id} must be in-use and attached to be detached; ${found}.` });
}

/** Takes begin_detaching back; where nothing was begun, nothing happens. */
export async function rollDetaching({ store }: ApiServices, context: RequestContext, id: string): Promise<void> {
  await findVolume(store, context, id);
  const { from, to } = volumeSteps.rollDetaching;
  await store.volumes.updateIf(id, { status: from }, { status: to });
}
