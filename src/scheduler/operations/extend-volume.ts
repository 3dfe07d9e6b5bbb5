import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import { type VolumeStatus, volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { requestArguments } from '../../rpcapi/requests.ts';
import { extendFilters } from '../filters/index.ts';
import { choosePool, type Desk, endFailed, handOver, type Outcome } from '../placement.ts';

const { during, accepts } = volumeTransitions.extend;

/** Makes sure that the volume's pool has room for the growth and hands the extension to its volume service. */
export async function checkExtension(desk: Desk, operation: Operation): Promise<Outcome> {
  const volume = await desk.limited(() => desk.store.volumes.get(operation.resourceId));
  if (volume === null) return endFailed(desk, operation, failure('VolumeNotFound', { id: operation.resourceId }));
  if (volume.status !== during) {
    const reason = `its status is ${volume.status}, not ${during}; its size was not changed`;
    return endFailed(desk, operation, failure('Overtaken', { what: `volume ${volume.id}`, reason }));
  }
  // Nothing was touched yet, so a refusal leaves the volume as usable as before.
  const back = { from: during, to: previousStatus(volume) };
  const parsed = requestArguments.extend_volume.safeParse(operation.arguments);
  if (!parsed.success) {
    const error = failure('InvalidInput', { reason: `arguments of extend_volume: ${parsed.error.message}` });
    return endFailed(desk, operation, error, back);
  }
  if (volume.host === null) {
    const error = failure('InvalidVolume', { reason: `volume ${volume.id} was never placed, so it cannot grow` });
    return endFailed(desk, operation, error, back);
  }
  const type = await desk.limited(() => desk.store.types.get(volume.volumeTypeId));
  const choice = await choosePool(
    desk,
    operation,
    {
      purpose: 'extend',
      sizeGb: Math.max(0, parsed.data.newSizeGb - volume.sizeGb),
      extraSpecs: type?.extraSpecs ?? {},
      availabilityZone: null,
      pinnedHost: volume.host,
      excludedHosts: [],
      failures: {},
      serviceDownTimeSeconds: desk.options.service_down_time,
    },
    { filters: extendFilters, weighers: [] },
  );
  if ('stopped' in choice) return 'left for later';
  if ('refusal' in choice) return endFailed(desk, operation, choice.refusal, back);
  return handOver(
    desk,
    operation,
    choice,
    async (tx) => (await tx.volumes.updateIf(volume.id, { status: during }, { status: during })) !== null,
  );
}

function previousStatus(volume: Volume): VolumeStatus {
  const usable: readonly string[] = [...accepts, 'in-use'];
  return usable.includes(volume.previousStatus ?? '') ? (volume.previousStatus as VolumeStatus) : 'available';
}
