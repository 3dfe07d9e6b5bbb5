/**
 * Thick volumes: linear LVs and copy-on-write snapshots.
 *
 * How a new volume reads as zeros: an LV carries the tag `making` from the moment it exists until its bytes are right, and
 * is wiped whole meanwhile, unless the volume group's tag says that all its free space is zero. That tag is taken away
 * before the first extent with old bytes is given back (volume_clear = none, a partial wipe, a snapshot's store).
 */
import { type DriverSnapshot, type DriverVolume, failure, type Logger } from '#driver';
import type { Bytes } from './bytes.ts';
import * as commands from './commands.ts';
import type { LvmHost } from './host.ts';
import { lvName, tags, temporaryName } from './names.ts';
import { growingFrom, type LogicalVolume, type View } from './report.ts';
import {
  findForCreate,
  findForDelete,
  lookUp,
  makeOrFind,
  type Provisioning,
  requireClosed,
  requireSnapshot,
  requireVolume,
  requireVolumeIn,
  toBytes,
  toGb,
} from './shared.ts';

export function thickProvisioning(
  host: LvmHost,
  bytes: Bytes,
  requireRoom: () => Promise<void>,
  log: Logger,
): Provisioning {
  const { volumeGroup, metadataOnly } = host.settings;

  /** Makes the LV, has `fill` put its bytes right, and only then calls it whole. `isZero`: it reads as zeros already. */
  async function make(
    volume: DriverVolume,
    fill: (device: string, lv: LogicalVolume, isZero: boolean) => Promise<void>,
  ): Promise<void> {
    const name = lvName(volume.name);
    // Without bytes there is nothing to put right.
    const lvTags = metadataOnly ? [tags.owned] : [tags.owned, tags.making];
    const wanted = { volumeGroup, name, sizeBytes: toBytes(volume.sizeGb), tags: lvTags };
    const isThere = ({ volumes }: View) => lookUp(volumes, name).own !== null;
    const found = await makeOrFind(host, name, async () => {
      await requireRoom();
      await host.change(commands.createThick(wanted, { metadataOnly }), isThere, volume.sizeGb);
    });
    if (found === null ? metadataOnly : !found.tags.has(tags.making)) return;
    // Looked at after the LV has its extents: whoever gave back dirty ones took the group's tag away before.
    const view = await host.view();
    const lv = requireVolumeIn(view.volumes, volume);
    const isZero = found === null && view.group.tags.has(tags.freeSpaceIsZero);
    if (!metadataOnly) await fill(await host.device(lv), lv, isZero);
    await host.untag(name, tags.making);
  }

  /** Fills a new volume from a snapshot, the rest with zeros. Only what is not zero is written, where zeros are cheap. */
  function copyFrom(source: LogicalVolume) {
    return async (device: string, lv: LogicalVolume, isZero: boolean) => {
      const to = Math.min(source.sizeBytes, lv.sizeBytes);
      const skipZeros = isZero || (await bytes.zeroesByItself(device));
      if (!isZero) await bytes.wipe({ device, from: skipZeros ? 0 : to, to: lv.sizeBytes });
      await bytes.copy({ device: await host.device(source), from: 0, to }, device, { skipZeros });
    };
  }

  async function snapshotOf(origin: LogicalVolume, name: string, kind: string): Promise<void> {
    const found = await findForCreate(host, name);
    if (found !== null && found.origin === origin.name) return;
    // lvm was cut off after it had made the store and before it became a snapshot.
    if (found !== null) await host.remove(name);
    await requireRoom();
    const snapshot = { volumeGroup, name, origin: origin.name, tags: [tags.owned, kind] };
    const isThere = ({ volumes }: View) => lookUp(volumes, name).own?.origin === origin.name;
    await host.change(commands.createCowSnapshot(snapshot), isThere, toGb(origin.sizeBytes));
  }

  /** A copy-on-write store holds old bytes of its origin. */
  async function removeSnapshot(lv: LogicalVolume): Promise<void> {
    await host.freeSpaceIsDirty();
    await host.remove(lv.name);
  }

  async function removeTemporary(volumes: readonly LogicalVolume[], volumeName: string): Promise<void> {
    const { own } = lookUp(volumes, temporaryName(volumeName));
    if (own !== null) await removeSnapshot(own);
  }

  return {
    createVolume: (volume) =>
      make(volume, async (device, lv, isZero) => {
        if (!isZero) await bytes.wipe({ device, from: 0, to: lv.sizeBytes });
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
        const { own } = lookUp((await host.view()).volumes, temporaryName(volume.name));
        await make(volume, copyFrom(own ?? origin));
      }
      await removeTemporary((await host.recentView()).volumes, volume.name);
    },

    async deleteVolume(volume) {
      const name = lvName(volume.name);
      const { volumes } = await host.quarantine((view) => {
        const lv = findForDelete(view.volumes, log, name);
        if (lv === null) return [];
        const snapshots = view.volumes.filter((other) => other.origin === lv.name);
        if (snapshots.length > 0) {
          const names = snapshots.map((snapshot) => snapshot.name).join(', ');
          throw failure('VolumeIsBusy', { id: volume.id, reason: `it has snapshots: ${names}. Delete them first.` });
        }
        requireClosed(lv, 'VolumeIsBusy', volume.id);
        return [lv];
      });
      await removeTemporary(volumes, volume.name);
    },

    async extendVolume(volume, newSizeGb) {
      const sizeBytes = toBytes(newSizeGb);
      const view = await host.recentView();
      const { volumes } = view;
      const lv = requireVolumeIn(volumes, volume);
      if (lv.sizeBytes >= sizeBytes) return finishGrowing(view, lv);
      if (volumes.some((other) => other.origin === lv.name)) {
        throw failure('VolumeIsBusy', {
          id: volume.id,
          reason: 'a thick volume with snapshots cannot grow. Delete its snapshots first, or use lvm_type = thin.',
        });
      }
      await requireRoom();
      if (growingFrom(lv) === null) await host.tag(lv.name, `${tags.growingFrom}${lv.sizeBytes}`);
      const isDone = (after: View) => (lookUp(after.volumes, lv.name).own?.sizeBytes ?? 0) >= sizeBytes;
      await host.change(commands.extend(volumeGroup, lv.name, sizeBytes), isDone, toGb(sizeBytes - lv.sizeBytes));
      // Looked at again: the group's tag counts as it is after the extents were given.
      const after = await host.view();
      await finishGrowing(after, requireVolumeIn(after.volumes, volume));
    },

    // The snapshot keeps a copy of what is written over; its store has room for all of it.
    async revertToSnapshot(volume, snapshot) {
      const { volumes } = await host.view();
      const lv = requireVolumeIn(volumes, volume);
      requireClosed(lv, 'VolumeIsBusy', volume.id);
      const source = await requireSnapshot(host, snapshot);
      if (metadataOnly) return;
      const range = { device: await host.device(source), from: 0, to: source.sizeBytes };
      await bytes.copy(range, await host.device(lv), { skipZeros: false });
    },

    async createSnapshot(snapshot) {
      const name = lvName(snapshot.name);
      const found = await findForCreate(host, name);
      if (found?.origin != null) return;
      await snapshotOf(await requireVolume(host, snapshot.volume), name, tags.snapshot);
    },

    async deleteSnapshot(snapshot) {
      const lv = findForDelete((await host.view()).volumes, log, lvName(snapshot.name));
      if (lv === null) return;
      requireClosed(lv, 'SnapshotIsBusy', snapshot.id);
      await removeSnapshot(lv);
    },
  };

  /** Zeros what an extend has added, after a crash as well, and then forgets where it began. */
  async function finishGrowing({ group }: View, lv: LogicalVolume): Promise<void> {
    const from = growingFrom(lv);
    if (from === null) return;
    if (!metadataOnly && !group.tags.has(tags.freeSpaceIsZero)) {
      await bytes.wipe({ device: await host.device(lv), from, to: lv.sizeBytes });
    }
    await host.untag(lv.name, `${tags.growingFrom}${from}`);
  }
}
