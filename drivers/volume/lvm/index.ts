/** Volumes as logical volumes of one volume group, thick or thin. What is on disk: README.md beside. */
import {
  type DriverContext,
  type DriverStats,
  defineDriver,
  failure,
  messageOf,
  option,
  type VolumeDriver,
} from '#driver';
import { createBytes } from './bytes.ts';
import { hasAmpleRoom, type Thresholds, volumesLeft, whyNoMore } from './guards.ts';
import { createLvmHost, noDeviceMapper } from './host.ts';
import { backendName, isRevertedName, lvName, poolName, tags } from './names.ts';
import type { LogicalVolume, View } from './report.ts';
import { GIB, isQuarantined, lookUp, type Provisioning, requireVolume } from './shared.ts';
import { thickProvisioning } from './thick.ts';
import { ensureThinPool, thinProvisioning } from './thin.ts';
import { createWiper } from './wiper.ts';

/** How old a report may be that shows far more room than is needed. */
const ROOM_AGE_MS = 60_000;

const options = {
  volume_group: option.string('cinder-volumes', 'Volume group that holds the volumes. It has to exist.'),
  lvm_type: option.string(
    'auto',
    'default (thick: linear volumes), thin (in the pool <volume_group>-pool, made where missing), or auto: thin where the ' +
      'pool is there or the group is empty and the kernel can, else default.',
    { choices: ['default', 'thin', 'auto'] },
  ),
  lvm_mirrors: option.integer(0, 'Mirrors of each volume. Only 0 is supported.', { min: 0 }),
  lvm_conf_file: option.string(
    '/etc/cinder/lvm.conf',
    "LVM's configuration file for our commands: its directory is LVM_SYSTEM_DIR. Not used where the file is missing.",
  ),
  lvm_suppress_fd_warnings: option.boolean(false, 'Ask lvm not to warn of file descriptors that it inherits.'),
  lvm_thin_data_threshold: option.integer(
    95,
    'Percent of the thin pool above which no volume is made or grown in it: a full pool stops every volume.',
    { min: 1, max: 100 },
  ),
  lvm_thin_metadata_threshold: option.integer(
    85,
    'The same for the metadata of the thin pool, whose end is worse: the pool has to be repaired then.',
    { min: 1, max: 100 },
  ),
  volume_clear: option.string(
    'zero',
    'What a thick volume is overwritten with after it was deleted, in the background; its space is free afterwards.',
    { choices: ['none', 'zero'] },
  ),
  volume_clear_size: option.integer(0, 'MiB at the start of a deleted volume that are overwritten; 0 is all of it.', {
    min: 0,
    max: 1024,
  }),
  volume_clear_ionice: option.string(null, 'Options of ionice for copies and wipes, such as -c3.'),
  volume_clear_bps_limit: option.integer(0, 'Bytes a second for wiping what was deleted; 0 is no limit.', {
    min: 0,
    mutable: true,
  }),
  volume_copy_bps_limit: option.integer(0, 'Bytes a second for a copy (a clone of a thick volume); 0 is no limit.', {
    mutable: true,
    min: 0,
  }),
  lvm_metadata_only: option.boolean(
    false,
    'For tests on a kernel without device-mapper: volumes are kept in the metadata of LVM and hold no data.',
  ),
} as const;

export const lvmDriver = defineDriver({
  name: 'lvm',
  aliases: ['cinder.volume.drivers.lvm.LVMVolumeDriver'],
  options,
  open: openLvmDriver,
});

function openLvmDriver({ backend, options: chosen, executor, log }: DriverContext<typeof options>): VolumeDriver {
  const volumeGroup = chosen.volume_group;
  const host = createLvmHost(
    {
      volumeGroup,
      configFile: chosen.lvm_conf_file,
      suppressFdWarnings: chosen.lvm_suppress_fd_warnings,
      metadataOnly: chosen.lvm_metadata_only,
    },
    executor,
    log,
  );
  const pace = {
    ionice: chosen.volume_clear_ionice,
    // Mutable: read at the start of each copy and wipe.
    get copyBytesPerSecond() {
      return chosen.volume_copy_bps_limit;
    },
    get wipeBytesPerSecond() {
      return chosen.volume_clear_bps_limit;
    },
  };
  const bytes = createBytes(pace, executor, log);
  const thresholds = {
    dataPercent: chosen.lvm_thin_data_threshold,
    metadataPercent: chosen.lvm_thin_metadata_threshold,
  };
  const clearing = {
    method: chosen.volume_clear === 'none' ? 'none' : 'zero',
    sizeMib: chosen.volume_clear_size,
  } as const;
  const wiper = createWiper(host, bytes, clearing, log);
  const requireRoom = async () => {
    const poolIn = (view: View) => (mode === 'thin' ? poolOf(view) : null);
    const { value: older, changes } = await host.olderView(ROOM_AGE_MS);
    if (hasAmpleRoom(older, poolIn(older), thresholds, changes)) return;
    const view = await host.recentView();
    const reason = whyNoMore(view, poolIn(view), thresholds);
    if (reason !== null) throw failure('BackendRefuses', { reason });
  };
  const poolOf = ({ volumes }: View) => volumes.find((lv) => lv.name === poolName(volumeGroup)) ?? null;
  const modes = {
    thick: thickProvisioning(host, bytes, requireRoom, log),
    thin: thinProvisioning(host, requireRoom, log),
  } as const satisfies Record<string, Provisioning>;
  let mode: keyof typeof modes | null = null;

  function provisioning(): Provisioning {
    if (mode !== null) return modes[mode];
    throw failure('DriverNotInitialized', { backend, reason: 'its set-up has not succeeded yet' });
  }

  /** `auto` decides by what is there, so that a restart decides the same. */
  async function chooseMode(): Promise<keyof typeof modes> {
    if (chosen.lvm_type === 'default') return 'thick';
    if (chosen.lvm_type === 'thin') {
      await ensureThinPool(host, log);
      return 'thin';
    }
    const view = await host.recentView();
    const hasPool = poolOf(view) !== null;
    if (!hasPool && (view.volumes.length > 0 || chosen.lvm_metadata_only)) return 'thick';
    try {
      await ensureThinPool(host, log);
      return 'thin';
    } catch (error) {
      if (hasPool) throw error;
      log.warn({ error: messageOf(error) }, 'no thin pool could be made, so volumes are thick (lvm_type = auto)');
      return 'thick';
    }
  }

  return {
    async setUp() {
      if (chosen.lvm_mirrors > 0) {
        throw failure('InvalidConfigurationValue', {
          group: backend,
          option: 'lvm_mirrors',
          reason: 'only 0 is supported. Mirror below the volume group (md, hardware) instead.',
        });
      }
      // Says what to do where lvm2, root or the group is missing.
      await host.view();
      if (!chosen.lvm_metadata_only && !(await host.hasDeviceMapper())) throw noDeviceMapper();
      mode = await chooseMode();
      log.info({ volumeGroup, mode }, 'volume group ready');
    },
    createVolume: async (volume) => provisioning().createVolume(volume),
    createVolumeFromSnapshot: async (volume, snapshot) => provisioning().createVolumeFromSnapshot(volume, snapshot),
    createClonedVolume: async (volume, source) => provisioning().createClonedVolume(volume, source),
    deleteVolume: async (volume) => provisioning().deleteVolume(volume),
    extendVolume: async (volume, newSizeGb) => provisioning().extendVolume(volume, newSizeGb),
    createSnapshot: async (snapshot) => provisioning().createSnapshot(snapshot),
    deleteSnapshot: async (snapshot) => provisioning().deleteSnapshot(snapshot),
    revertToSnapshot: async (volume, snapshot) => provisioning().revertToSnapshot(volume, snapshot),

    async devicePath(volume) {
      return host.device(await requireVolume(host, volume));
    },

    async stats() {
      const view = await host.view();
      return statsOf(backend, view, mode === 'thin' ? poolOf(view) : null, thresholds);
    },

    async poolOf(volume) {
      return lookUp((await host.recentView()).volumes, lvName(volume.name)).own === null ? null : backend;
    },

    async list() {
      const { volumes } = await host.recentView();
      return volumes
        .filter((lv) => isVolume(lv) || isSnapshot(lv))
        .map((lv) => ({
          name: backendName(lv.name),
          kind: isSnapshot(lv) ? 'snapshot' : 'volume',
          sizeBytes: lv.sizeBytes,
        }));
    },

    maintain: (signal) => wiper.pass(signal),
  };
}

function isSnapshot(lv: LogicalVolume): boolean {
  return lv.tags.has(tags.owned) && lv.tags.has(tags.snapshot) && !isQuarantined(lv);
}

function isVolume(lv: LogicalVolume): boolean {
  const isOurs = lv.tags.has(tags.owned) && lv.segmentType !== 'thin-pool' && !isQuarantined(lv);
  return isOurs && !isRevertedName(lv.name) && !lv.tags.has(tags.snapshot) && !lv.tags.has(tags.temporary);
}

function statsOf(name: string, view: View, pool: LogicalVolume | null, thresholds: Thresholds): DriverStats {
  const { group, volumes } = view;
  const sizes =
    pool === null
      ? { total: group.sizeBytes, free: group.freeBytes, provisioned: group.sizeBytes - group.freeBytes }
      : {
          total: pool.sizeBytes,
          free: pool.sizeBytes * (1 - (pool.dataPercent ?? 0) / 100),
          provisioned: sizeOf(volumes.filter((lv) => lv.pool === pool.name)),
        };
  const refusal = whyNoMore(view, pool, thresholds);
  const gb = (bytes: number) => Math.floor((bytes / GIB) * 1000) / 1000;
  return {
    vendorName: 'Ashlar',
    driverVersion: '1.0.0',
    pools: [
      {
        name,
        total: { kind: 'known', gb: gb(sizes.total) },
        // What would be refused is not offered.
        free: { kind: 'known', gb: refusal === null ? gb(sizes.free) : 0 },
        provisionedGb: gb(sizes.provisioned),
        thinProvisioning: pool !== null,
        thickProvisioning: pool === null,
        totalVolumes: volumes.filter(isVolume).length,
        extra: {
          lvm_type: pool === null ? 'default' : 'thin',
          lvm_volumes_left: volumesLeft(view),
          lvm_deleted_gb: gb(sizeOf(volumes.filter(isQuarantined))),
          ...(pool === null
            ? {}
            : { thin_pool_data_percent: pool.dataPercent, thin_pool_metadata_percent: pool.metadataPercent }),
          ...(refusal === null ? {} : { no_room_reason: refusal }),
        },
      },
    ],
  };
}

function sizeOf(volumes: readonly LogicalVolume[]): number {
  return volumes.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
