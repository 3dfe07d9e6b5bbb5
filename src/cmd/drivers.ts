import { fakeDriver } from '../../drivers/volume/fake.ts';
import { fileDriver } from '../../drivers/volume/file/index.ts';
import { lvmDriver } from '../../drivers/volume/lvm/index.ts';
import type { DriverModule } from '../driver/driver.ts';

/** The roll-call of volume drivers: one line adds one. */
export const volumeDrivers: readonly DriverModule[] = [fakeDriver, fileDriver, lvmDriver];

/** The driver that a value of `volume_driver` means: its short name, or another name that is known for it. */
export function findVolumeDriver(name: string): DriverModule | undefined {
  return volumeDrivers.find((driver) => driver.name === name || driver.aliases.includes(name));
}
