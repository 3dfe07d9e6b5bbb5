import { type DriverSnapshot, type DriverVolume, failure, type Logger } from '#driver';
import { type LvmHost, takenByForeign } from './host.ts';
import { deletedName, isDeletedName, lvName, tags } from './names.ts';
import type { LogicalVolume, View } from './report.ts';

/** What thick and thin do differently. */
export interface Provisioning {
  createVolume(volume: DriverVolume): Promise<void>;
  createVolumeFromSnapshot(volume: DriverVolume, snapshot: DriverSnapshot): Promise<void>;
  createClonedVolume(volume: DriverVolume, source: DriverVolume): Promise<void>;
  deleteVolume(volume: DriverVolume): Promise<void>;
  extendVolume(volume: DriverVolume, newSizeGb: number): Promise<void>;
  createSnapshot(snapshot: DriverSnapshot): Promise<void>;
  deleteSnapshot(snapshot: DriverSnapshot): Promise<void>;
  revertToSnapshot(volume: DriverVolume, snapshot: DriverSnapshot): Promise<void>;
}

export const GIB = 1024 ** 3;

export function toBytes(sizeGb: number): number {
  return Math.round(sizeGb * GIB);
}

/** Whole GiB, for people: what an extend adds, say. */
export function toGb(bytes: number): number {
  return Math.ceil(bytes / GIB);
}

/** The LV of that name, if it is ours. `isForeign` says that the name is taken by what is not. */
export function lookUp(volumes: readonly LogicalVolume[], name: string) {
  const found = volumes.find((volume) => volume.name === name);
  const isOurs = found?.tags.has(tags.owned) === true;
  return { own: isOurs ? found : null, isForeign: found !== undefined && !isOurs };
}

/** The LV for something that is about to be made: null where there is none, an error where the name is another's. */
export async function findForCreate(host: LvmHost, name: string): Promise<LogicalVolume | null> {
  const { own, isForeign } = lookUp((await host.recentView()).volumes, name);
  if (isForeign) throw takenByForeign(host.settings.volumeGroup, name);
  return own;
}

/** The LV for something that is about to go: null where there is none of ours. Another's stays, and that is said. */
export function findForDelete(volumes: readonly LogicalVolume[], log: Logger, name: string): LogicalVolume | null {
  const { own, isForeign } = lookUp(volumes, name);
  if (isForeign) log.warn({ lv: name }, 'an LV of that name is not tagged as ours: it stays');
  return own;
}

export async function requireVolume(host: LvmHost, volume: Pick<DriverVolume, 'id' | 'name'>): Promise<LogicalVolume> {
  return requireVolumeIn((await host.recentView()).volumes, volume);
}

export function requireVolumeIn(
  volumes: readonly LogicalVolume[],
  volume: Pick<DriverVolume, 'id' | 'name'>,
): LogicalVolume {
  const { own } = lookUp(volumes, lvName(volume.name));
  if (own === null) throw failure('VolumeNotFound', { id: volume.id });
  return own;
}

export async function requireSnapshot(host: LvmHost, snapshot: DriverSnapshot): Promise<LogicalVolume> {
  const { own } = lookUp((await host.recentView()).volumes, lvName(snapshot.name));
  if (own === null) throw failure('SnapshotNotFound', { id: snapshot.id });
  if (own.isInvalid) {
    throw failure('VolumeBackendAPIException', {
      reason: `the snapshot ${own.name} is invalid (lvs shows its state). Its content is lost: delete it.`,
    });
  }
  return own;
}

/** Refuses what an initiator or a mount still has open; said before anything is wiped. */
export function requireClosed(lv: LogicalVolume, code: 'VolumeIsBusy' | 'SnapshotIsBusy', id: string): void {
  if (!lv.isOpen) return;
  throw failure(code, {
    id,
    reason: `its device ${lv.name} is open. Detach it, and look with 'lsof' or 'dmsetup info'.`,
  });
}

/**
 * Takes an LV away from its user, in one step that a crash leaves done or not done: it gets a name under which nobody finds
 * it. The wiper erases and removes it (wiper.ts).
 */
export async function quarantine(host: LvmHost, { volumes }: View, lv: LogicalVolume): Promise<void> {
  const isTaken = (name: string) => volumes.some((other) => other.name === name);
  await host.rename(lv.name, deletedName(lv.name, isTaken));
}

/** Ours, deleted, and not removed yet. */
export function isQuarantined(lv: LogicalVolume): boolean {
  return isDeletedName(lv.name) && lv.tags.has(tags.owned);
}
