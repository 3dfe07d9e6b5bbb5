/**
 * Thin volumes: all in one pool that zeroes its new blocks; snapshots and clones are thin snapshots, at once. Nothing is
 * made or grown while the pool is above a threshold (guards.ts): a pool that is full stops every volume in it.
 */
import { type DriverSnapshot, type DriverVolume, failure, type Logger } from '#driver';
import * as commands from './commands.ts';
import type { LvmHost } from './host.ts';
import { lvName, poolName, revertedName, tags } from './names.ts';
import type { LogicalVolume, View } from './report.ts';
import {
  findForCreate,
  findForDelete,
  GIB,
  lookUp,
  makeOrFind,
  moveAside,
  type Provisioning,
  requireClosed,
  requireSnapshot,
  requireVolume,
  toBytes,
  toGb,
} from './shared.ts';

export function thinProvisioning(host: LvmHost, requireRoom: () => Promise<void>, log: Logger): Provisioning {
  const { volumeGroup } = host.settings;
  const pool = poolName(volumeGroup);

  async function grow(lv: LogicalVolume, sizeGb: number): Promise<void> {
    const sizeBytes = toBytes(sizeGb);
    if (lv.sizeBytes >= sizeBytes) return;
    await requireRoom();
    const isDone = ({ volumes }: View) =>
      volumes.some((other) => other.name === lv.name && other.sizeBytes >= sizeBytes);
    await host.change(commands.extend(volumeGroup, lv.name, sizeBytes), isDone, toGb(sizeBytes - lv.sizeBytes));
  }

  /** A thin snapshot of what `origin` finds, unless it is there. */
  async function snapshotOf(
    name: string,
    lvTags: readonly string[],
    origin: () => Promise<LogicalVolume>,
  ): Promise<void> {
    if ((await findForCreate(host, name)) !== null) return;
    const snapshot = { volumeGroup, name, origin: (await origin()).name, tags: lvTags };
    await requireRoom();
    await host.change(commands.createThinSnapshot(snapshot), isThere(name));
  }

  async function drop(names: readonly string[], code: 'VolumeIsBusy' | 'SnapshotIsBusy', id: string): Promise<void> {
    await host.quarantine(({ volumes }) => {
      const found = names.map((name) => findForDelete(volumes, log, name)).filter((lv) => lv !== null);
      for (const lv of found) requireClosed(lv, code, id);
      return found;
    });
  }

  /** A thin snapshot of the snapshot takes the volume's place; what was there is deleted. */
  async function revert(volume: DriverVolume, snapshot: DriverSnapshot): Promise<void> {
    const [name, next] = [lvName(volume.name), revertedName(volume.name)];
    const before = (await host.view()).volumes;
    // Cut off between its two renames: the volume is back first.
    if (lookUp(before, name).own === null && lookUp(before, next).own !== null) await host.rename(next, name);
    const current = await requireVolume(host, volume);
    requireClosed(current, 'VolumeIsBusy', volume.id);
    // One that an earlier try has left may be of another snapshot.
    await drop([next], 'VolumeIsBusy', volume.id);
    await snapshotOf(next, [tags.owned], () => requireSnapshot(host, snapshot));
    const made = lookUp((await host.recentView()).volumes, next).own;
    if (made !== null) await grow(made, current.sizeBytes / GIB);
    await moveAside(host, current);
    await host.rename(next, name);
  }

  return {
    async createVolume(volume) {
      const name = lvName(volume.name);
      const wanted = { volumeGroup, name, pool, sizeBytes: toBytes(volume.sizeGb), tags: [tags.owned] };
      await makeOrFind(host, name, async () => {
        await requireRoom();
        await host.change(commands.createThin(wanted), isThere(name), volume.sizeGb);
      });
    },
    async createVolumeFromSnapshot(volume, snapshot) {
      await snapshotOf(lvName(volume.name), [tags.owned], () => requireSnapshot(host, snapshot));
      await grow(await requireVolume(host, volume), volume.sizeGb);
    },
    async createClonedVolume(volume, source) {
      await snapshotOf(lvName(volume.name), [tags.owned], () => requireVolume(host, source));
      await grow(await requireVolume(host, volume), volume.sizeGb);
    },
    async deleteVolume(volume) {
      await drop([revertedName(volume.name), lvName(volume.name)], 'VolumeIsBusy', volume.id);
    },
    extendVolume: async (volume, newSizeGb) => grow(await requireVolume(host, volume), newSizeGb),
    revertToSnapshot: revert,
    createSnapshot: async (snapshot) =>
      snapshotOf(lvName(snapshot.name), [tags.owned, tags.snapshot], () => requireVolume(host, snapshot.volume)),
    deleteSnapshot: async (snapshot) => drop([lvName(snapshot.name)], 'SnapshotIsBusy', snapshot.id),
  };
}

function isThere(name: string) {
  return ({ volumes }: View) => lookUp(volumes, name).own !== null;
}

/** Makes the pool where it is missing, and refuses one whose new blocks would show old bytes. */
export async function ensureThinPool(host: LvmHost, log: Logger): Promise<void> {
  const { volumeGroup } = host.settings;
  const name = poolName(volumeGroup);
  const find = async () => (await host.view()).volumes.find((lv) => lv.name === name);
  if ((await find()) === undefined) {
    log.info({ pool: `${volumeGroup}/${name}` }, 'making the thin pool');
    await host.change(commands.createThinPool(volumeGroup, name, [tags.owned]), isThere(name));
  }
  const pool = await find();
  if (pool?.segmentType !== 'thin-pool') {
    throw failure('VolumeBackendAPIException', {
      reason: `${volumeGroup}/${name} is no thin pool. Rename it, or set lvm_type = default.`,
    });
  }
  if (!pool.zeroesNewBlocks) {
    throw failure('VolumeBackendAPIException', {
      reason:
        `the thin pool ${volumeGroup}/${name} does not zero new blocks, so a new volume could show old bytes. ` +
        `Turn it on with 'lvchange --zero y ${volumeGroup}/${name}'.`,
    });
  }
  if (!pool.isActive) await host.activate(name);
}
