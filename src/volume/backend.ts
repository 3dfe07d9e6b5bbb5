/** Rows as drivers see them. */
import type { Fence } from '../coordination/lease.ts';
import type { Store } from '../db/store.ts';
import type { DriverSnapshot, DriverVolume, VolumeDriver } from '../driver/driver.ts';
import type { Target } from '../driver/target.ts';
import { withSteps } from '../lib/flight.ts';
import { poolName } from '../model/backend.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Volume } from '../model/volume.ts';
import type { Backend } from './operation.ts';

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
  const mayAct = () => options.fence?.check();

  async function toDriverVolume(volume: Volume): Promise<DriverVolume> {
    const type = await store.types.get(volume.volumeTypeId);
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
