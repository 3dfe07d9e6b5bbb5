/**
 * Thick volumes: linear LVs and copy-on-write snapshots.
 *
 * How a new volume reads as zeros: an LV carries the tag `making` from the moment it exists until its bytes are right, and
 * is wiped whole meanwhile, unless the volume group's tag says that all its free space is zero. That tag is taken away
 * before the first extent with old bytes is given back (volume_clear = none, a partial wipe, a snapshot's store).
 */
import { type DriverSnapshot, type DriverVolume, failure, type Logger } from '#driver';
import * as commands from './commands.ts';
import type { LvmHost } from './host.ts';
import { lvName, tags, temporaryName } from './names.ts';
import { growingFrom, type LogicalVolume } from './report.ts';
import {
  findForCreate,
  findForDelete,
  GIB,
  lookUp,
  type Provisioning,
  removeVolume,
  requireClosed,
  requireSnapshot,
  requireVolume,
  requireVolumeIn,
} from './shared.ts';

export interface Clearing {
  readonly method: 'none' | 'zero';
  /** MiB at the start of a volume; 0 is all of it. */
  readonly sizeMib: number;
}

export function thickProvisioning(host: LvmHost, clearing: Clearing, log: Logger): Provisioning {
  const { volumeGroup, metadataOnly } = host.settings;

  /** Makes the LV, has `fill` put its bytes right, and only then calls it whole. `isZero`: it reads as zeros already. */
  async function make(
    volume: DriverVolume,
    fill: (device: string, lv: LogicalVolume, isZero: boolean) => Promise<void>,
  ): Promise<void> {
    const name = lvName(volume.name);
    const found = await findForCreate(host, name);
    if (found !== null && !found.tags.has(tags.making)) return;
    if (found === null) {
      const wanted = { volumeGroup, name, sizeGb: volume.sizeGb, tags: [tags.owned, tags.making] };
      await host.run(commands.createThick(wanted, { metadataOnly }), volume.sizeGb);
    }
    // Looked at after the LV has its extents: whoever gave back dirty ones took the group's tag away before.
    const lv = await requireVolume(host, volume);
    const isZero = found === null && lv.groupTags.has(tags.freeSpaceIsZero);
    if (!metadataOnly) await fill(await host.device(name), lv, isZero);
    await host.untag(name, tags.making);
  }

  /** Fills a new volume from a snapshot, the rest with zeros. */
  function copyFrom(source: LogicalVolume) {
    return async (device: string, lv: LogicalVolume, isZero: boolean) => {
      const bytes = Math.min(source.sizeBytes, lv.sizeBytes);
      await host.copy(await host.device(source.name), device, bytes, { skipZeros: isZero });
      if (!isZero) await host.wipe({ device, from: bytes, to: lv.sizeBytes });
    };
  }

  async function snapshotOf(origin: LogicalVolume, name: string, kind: string): Promise<void> {
    const found = await findForCreate(host, name);
    if (found !== null && found.origin === origin.name) return;
    // lvm was cut off after it had made the store and before it became a snapshot.
    if (found !== null) await removeVolume(host, name);
    const snapshot = { volumeGroup, name, origin: origin.name, tags: [tags.owned, kind] };
    await host.run(commands.createCowSnapshot(snapshot), Math.ceil(origin.sizeBytes / GIB));
  }

  /** A copy-on-write store holds old bytes of its origin. */
  async function removeSnapshot(lv: LogicalVolume): Promise<void> {
    await host.freeSpaceIsDirty(lv);
    await removeVolume(host, lv.name);
  }

  async function clear(lv: LogicalVolume): Promise<void> {
    if (metadataOnly) return;
    const bytes = clearing.sizeMib === 0 ? lv.sizeBytes : Math.min(lv.sizeBytes, clearing.sizeMib * 1024 ** 2);
    const isWhole = clearing.method === 'zero' && bytes === lv.sizeBytes;
    if (!isWhole) await host.freeSpaceIsDirty(lv);
    if (clearing.method === 'zero') await host.wipe({ device: await host.device(lv.name), from: 0, to: bytes });
  }

  async function removeTemporary(volumes: readonly LogicalVolume[], volumeName: string): Promise<void> {
    const { own } = lookUp(volumes, temporaryName(volumeName));
    if (own !== null) await removeSnapshot(own);
  }

  return {
    createVolume: (volume) =>
      make(volume, async (device, lv, isZero) => {
        if (!isZero) await host.wipe({ device, from: 0, to: lv.sizeBytes });
      }),

    async createVolumeFromSnapshot(volume, snapshot: DriverSnapshot) {
      const found = await findForCreate(host, lvName(volume.name));
      if (found !== null && !found.tags.has(tags.making)) return;
      await make(volume, copyFrom(await requireSnapshot(host, snapshot)));
    },

    async createClonedVolume(volume, source) {
      const found = await findForCreate(host, lvName(volume.name));
      if (found === null || found.tags.has(tags.making)) {
        const origin = await requireVolume(host, source);
        await snapshotOf(origin, temporaryName(volume.name), tags.temporary);
        await make(volume, copyFrom({ ...origin, name: temporaryName(volume.name) }));
      }
      await removeTemporary(await host.volumes(), volume.name);
    },

    async deleteVolume(volume) {
      const volumes = await host.volumes();
      await removeTemporary(volumes, volume.name);
      const lv = findForDelete(volumes, log, lvName(volume.name));
      if (lv === null) return;
      const snapshots = volumes.filter((other) => other.origin === lv.name);
      if (snapshots.length > 0) {
        const names = snapshots.map((snapshot) => snapshot.name).join(', ');
        throw failure('VolumeIsBusy', { id: volume.id, reason: `it has snapshots: ${names}. Delete them first.` });
      }
      requireClosed(lv, 'VolumeIsBusy', volume.id);
      await clear(lv);
      await removeVolume(host, lv.name);
    },

    async extendVolume(volume, newSizeGb) {
      const volumes = await host.volumes();
      const lv = requireVolumeIn(volumes, volume);
      if (lv.sizeBytes >= newSizeGb * GIB) return finishGrowing(lv);
      if (volumes.some((other) => other.origin === lv.name)) {
        throw failure('VolumeIsBusy', {
          id: volume.id,
          reason: 'a thick volume with snapshots cannot grow. Delete its snapshots first, or use lvm_type = thin.',
        });
      }
      if (growingFrom(lv) === null) await host.tag(lv.name, `${tags.growingFrom}${lv.sizeBytes}`);
      await host.run(commands.extend(volumeGroup, lv.name, newSizeGb), newSizeGb - Math.floor(lv.sizeBytes / GIB));
      // Looked at again: the group's tag counts as it is after the extents were given.
      await finishGrowing(await requireVolume(host, volume));
    },

    async createSnapshot(snapshot) {
      const name = lvName(snapshot.name);
      const found = await findForCreate(host, name);
      if (found?.origin != null) return;
      await snapshotOf(await requireVolume(host, snapshot.volume), name, tags.snapshot);
    },

    async deleteSnapshot(snapshot) {
      const lv = findForDelete(await host.volumes(), log, lvName(snapshot.name));
      if (lv === null) return;
      requireClosed(lv, 'SnapshotIsBusy', snapshot.id);
      await removeSnapshot(lv);
    },
  };

  /** Zeros what an extend has added, after a crash as well, and then forgets where it began. */
  async function finishGrowing(lv: LogicalVolume): Promise<void> {
    const from = growingFrom(lv);
    if (from === null) return;
    if (!metadataOnly && !lv.groupTags.has(tags.freeSpaceIsZero)) {
      await host.wipe({ device: await host.device(lv.name), from, to: lv.sizeBytes });
    }
    await host.untag(lv.name, `${tags.growingFrom}${from}`);
  }
}
