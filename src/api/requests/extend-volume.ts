/** os-extend: a volume grows; the scheduler looks whether there is room, then the backend does it. */
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { SCHEDULER_TOPIC } from '../../rpcapi/requests.ts';
import { checkQuota } from '../quota-check.ts';
import type { ApiServices, Microversion } from '../route.ts';
import { findVolume } from './find.ts';
import { projectOf } from './project.ts';
import { recordOperation } from './record-operation.ts';
import { lockVolume, wrongStatus } from './volume-status.ts';

export async function extendVolume(
  services: ApiServices,
  context: RequestContext,
  id: string,
  newSizeGb: number,
  version: Microversion,
): Promise<void> {
  const operation = await services.store.transaction(async (tx) => {
    const found = await findVolume(tx, context, id);
    const projectId = found.projectId ?? projectOf(context);
    await tx.quotas.lockProject(projectId);
    const volume = await lockVolume(tx, found);
    refuseUnfit(volume, newSizeGb, version);
    await checkQuota(tx, services.options, projectId, {
      volumeGb: newSizeGb - volume.sizeGb,
      perVolumeGb: newSizeGb,
    });
    const { accepts, during } = volumeTransitions.extend;
    const condition = { status: accepts, sizeLessThanGb: newSizeGb };
    const changes = { status: during, previousStatus: volume.status };
    if ((await tx.volumes.updateIf(id, condition, changes)) === null) throw wrongStatus(volume, 'extend', accepts);
    return recordOperation(tx, context, {
      resourceType: 'volume',
      resourceId: id,
      method: 'extend_volume',
      arguments: { newSizeGb, reservations: [] },
      owner: SCHEDULER_TOPIC,
    });
  });
  await services.operations.wake(operation, context);
}

function refuseUnfit(volume: Volume, newSizeGb: number, version: Microversion): void {
  if (newSizeGb <= volume.sizeGb) {
    throw failure('InvalidInput', {
      reason: `volume ${volume.id} has ${volume.sizeGb} GiB already; new_size must be greater than that.`,
    });
  }
  if (volume.status === 'in-use' && version >= 42) {
    throw failure('InvalidVolume', {
      reason: `volume ${volume.id} is in use, and no backend here extends a volume while it is. Detach it first.`,
    });
  }
  if (!volumeTransitions.extend.accepts.some((status) => status === volume.status)) {
    throw wrongStatus(volume, 'extend', volumeTransitions.extend.accepts);
  }
  if (volume.host === null) {
    throw failure('InvalidVolume', { reason: `volume ${volume.id} is on no backend. Delete it.` });
  }
}
