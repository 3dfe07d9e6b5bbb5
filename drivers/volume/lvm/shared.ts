import { type DriverSnapshot, type DriverVolume, failure, isFailure, type Logger } from '#driver';
import { isNameTaken, type LvmHost, takenByForeign } from './host.ts';
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

/**
 * The LV of that name, if it is ours. `isForeign` says that the name is taken by what is not; `deleted` is what still has
 * the name and is deleted.
 */
export function lookUp(volumes: readonly LogicalVolume[], name: string) {
  const found = volumes.find((volume) => volume.name === name);
  const isOurs = found?.tags.has(tags.owned) === true;
  const deleted = found !== undefined && isQuarantined(found) ? found : null;
  return { own: isOurs && deleted === null ? found : null, isForeign: found !== undefined && !isOurs, deleted };
}

/** The LV for something that is about to be made: null where the name is free now, an error where it is another's. */
export async function findForCreate(host: LvmHost, name: string): Promise<LogicalVolume | null> {
  const { own, isForeign, deleted } = lookUp((await host.recentView()).volumes, name);
  if (isForeign) throw takenByForeign(host.settings.volumeGroup, name);
  if (deleted !== null) await moveAside(host, deleted);
  return own;
}

/**
 * Makes an LV of that name; or null is not what it answers: the LV that is there already, ours. lvcreate itself refuses a
 * name that is taken, so nobody looks beforehand: a look costs as much as the making.
 */
export async function makeOrFind(
  host: LvmHost,
  name: string,
  make: () => Promise<void>,
): Promise<LogicalVolume | null> {
  try {
    await make();
    return null;
  } catch (error) {
    if (!mayBeThere(error)) throw error;
    const found = await findForCreate(host, name);
    if (found !== null) return found;
    if (!isNameTaken(error)) throw error;
  }
  await make();
  return null;
}

/** Where there is no room for another one, that one may still be there. */
function mayBeThere(error: unknown): boolean {
  return isNameTaken(error) || isFailure(error, 'BackendRefuses') || isFailure(error, 'BackendFull');
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
 * Gives an LV a name under which nobody finds it: its own is free then, and it counts as deleted. The name that it has then;
 * of one that is deleted already somebody else may have been quicker. Null where it is gone.
 */
export async function moveAside(host: LvmHost, { uuid }: LogicalVolume): Promise<string | null> {
  const find = ({ volumes }: View) => volumes.find((lv) => lv.uuid === uuid);
  const view = await host.recentView();
  const lv = find(view);
  if (lv === undefined) return null;
  if (isDeletedName(lv.name)) return lv.name;
  const isTaken = (name: string) => view.volumes.some((other) => other.name === name);
  const aside = deletedName(lv.name, isTaken);
  try {
    await host.rename(lv.name, aside);
    return aside;
  } catch (error) {
    const now = find(await host.view());
    if (now === undefined) return null;
    if (!isDeletedName(now.name)) throw error;
    return now.name;
  }
}

/** Ours, deleted, and not removed yet. */
export function isQuarantined(lv: LogicalVolume): boolean {
  return lv.isDeleted && lv.tags.has(tags.owned);
}
