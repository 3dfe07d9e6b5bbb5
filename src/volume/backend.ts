/** Rows as drivers see them. */
import type { Fence } from '../coordination/lease.ts';
import type { Store } from '../db/store.ts';
import type { DriverSnapshot, DriverVolume, VolumeDriver } from '../driver/driver.ts';
import type { Target } from '../driver/target.ts';
import { withSteps } from '../lib/flight.ts';
import { createRecently } from '../lib/recently.ts';
import { poolName } from '../model/backend.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Volume } from '../model/volume.ts';
import { VOLUME_TOPIC } from '../rpcapi/requests.ts';
import type { Backend } from './operation.ts';

/** How long a type's extra specs and the service's own row are taken for what they were: requests come in bursts. */
const REMEMBERED_MS = 500;

export function createBackend(options: {
  readonly serviceHost: string;
  readonly driver: VolumeDriver;
  readonly target: Target;
  readonly store: Store;
  readonly volumeNameTemplate: string;
  readonly snapshotNameTemplate: string;
  /** Asked before each call of the driver and the target; none is always open. */
  readonly fence?: Fence;
}): Backend {
  const { store } = options;
  const typeOf = createRecently((id) => store.types.get(id), { lifeMs: REMEMBERED_MS });
  const serviceOf = createRecently((host) => store.services.get(host, VOLUME_TOPIC), { lifeMs: REMEMBERED_MS });
  const mayAct = () => options.fence?.check();

  async function toDriverVolume(volume: Volume): Promise<DriverVolume> {
    const type = await typeOf(volume.volumeTypeId);
    return {
      id: volume.id,
      name: options.volumeNameTemplate.replace('%s', volume.nameId ?? volume.id),
      sizeGb: volume.sizeGb,
      pool: volume.host === null ? null : poolName(volume.host),
      providerId: volume.providerId,
      extraSpecs: type?.extraSpecs ?? {},
    };
  }

  return {
    serviceHost: options.serviceHost,
    mayAct,
    serviceUuid: async () => (await serviceOf(options.serviceHost))?.uuid ?? null,
    driver: withSteps('driver', options.driver, mayAct),
    target: withSteps('target', options.target, mayAct),
    toDriverVolume,
    async toDriverSnapshot(snapshot: Snapshot, volume: Volume): Promise<DriverSnapshot> {
      return {
        id: snapshot.id,
        name: options.snapshotNameTemplate.replace('%s', snapshot.id),
        volume: await toDriverVolume(volume),
        sizeGb: snapshot.volumeSizeGb,
        providerId: snapshot.providerId,
      };
    },
  };
}
