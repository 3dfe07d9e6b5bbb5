/** Thin volumes: all in one pool that zeroes its new blocks; snapshots and clones are thin snapshots, at once. */
import { failure, type Logger } from '#driver';
import * as commands from './commands.ts';
import type { LvmHost } from './host.ts';
import { lvName, poolName, tags } from './names.ts';
import type { LogicalVolume } from './report.ts';
import {
  findForCreate,
  findForDelete,
  GIB,
  type Provisioning,
  removeVolume,
  requireClosed,
  requireSnapshot,
  requireVolume,
} from './shared.ts';

export function thinProvisioning(host: LvmHost, log: Logger): Provisioning {
  const { volumeGroup } = host.settings;
  const pool = poolName(volumeGroup);

  async function grow(lv: LogicalVolume, sizeGb: number): Promise<void> {
    if (lv.sizeBytes >= sizeGb * GIB) return;
    await host.run(commands.extend(volumeGroup, lv.name, sizeGb), sizeGb - Math.floor(lv.sizeBytes / GIB));
  }

  /** A thin snapshot of what `origin` finds, unless it is there. */
  async function snapshotOf(
    name: string,
    lvTags: readonly string[],
    origin: () => Promise<LogicalVolume>,
  ): Promise<void> {
    if ((await findForCreate(host, name)) !== null) return;
    const snapshot = { volumeGroup, name, origin: (await origin()).name, tags: lvTags };
    await host.run(commands.createThinSnapshot(snapshot));
  }

  async function drop(name: string, code: 'VolumeIsBusy' | 'SnapshotIsBusy', id: string): Promise<void> {
    const lv = findForDelete(await host.volumes(), log, name);
    if (lv === null) return;
    requireClosed(lv, code, id);
    await removeVolume(host, lv.name);
  }

  return {
    async createVolume(volume) {
      const name = lvName(volume.name);
      if ((await findForCreate(host, name)) !== null) return;
      const wanted = { volumeGroup, name, pool, sizeGb: volume.sizeGb, tags: [tags.owned] };
      await host.run(commands.createThin(wanted), volume.sizeGb);
    },
    async createVolumeFromSnapshot(volume, snapshot) {
      await snapshotOf(lvName(volume.name), [tags.owned], () => requireSnapshot(host, snapshot));
      await grow(await requireVolume(host, volume), volume.sizeGb);
    },
    async createClonedVolume(volume, source) {
      await snapshotOf(lvName(volume.name), [tags.owned], () => requireVolume(host, source));
      await grow(await requireVolume(host, volume), volume.sizeGb);
    },
    deleteVolume: async (volume) => drop(lvName(volume.name), 'VolumeIsBusy', volume.id),
    extendVolume: async (volume, newSizeGb) => grow(await requireVolume(host, volume), newSizeGb),
    createSnapshot: async (snapshot) =>
      snapshotOf(lvName(snapshot.name), [tags.owned, tags.snapshot], () => requireVolume(host, snapshot.volume)),
    deleteSnapshot: async (snapshot) => drop(lvName(snapshot.name), 'SnapshotIsBusy', snapshot.id),
  };
}

/** Makes the pool where it is missing, and refuses one whose new blocks would show old bytes. */
export async function ensureThinPool(host: LvmHost, log: Logger): Promise<void> {
  const { volumeGroup } = host.settings;
  const name = poolName(volumeGroup);
  const find = async () => (await host.volumes()).find((lv) => lv.name === name);
  if ((await find()) === undefined) {
    log.info({ pool: `${volumeGroup}/${name}` }, 'making the thin pool');
    await host.run(commands.createThinPool(volumeGroup, name, [tags.owned]));
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
  await host.run(commands.activate(volumeGroup, name));
}
