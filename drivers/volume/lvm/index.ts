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
import { createLvmHost, noDeviceMapper } from './host.ts';
import { backendName, lvName, poolName, tags } from './names.ts';
import type { LogicalVolume } from './report.ts';
import { GIB, lookUp, type Provisioning, requireVolume } from './shared.ts';
import { thickProvisioning } from './thick.ts';
import { ensureThinPool, thinProvisioning } from './thin.ts';

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
  volume_clear: option.string('zero', 'What a thick volume is overwritten with when it is deleted.', {
    choices: ['none', 'zero'],
  }),
  volume_clear_size: option.integer(0, 'MiB at the start of a deleted volume that are overwritten; 0 is all of it.', {
    min: 0,
    max: 1024,
  }),
  volume_clear_ionice: option.string(null, 'Options of ionice for copies and wipes, such as -c3.'),
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
      ionice: chosen.volume_clear_ionice,
      metadataOnly: chosen.lvm_metadata_only,
    },
    executor,
    log,
  );
  const clearing = {
    method: chosen.volume_clear === 'none' ? 'none' : 'zero',
    sizeMib: chosen.volume_clear_size,
  } as const;
  const modes = {
    thick: thickProvisioning(host, clearing, log),
    thin: thinProvisioning(host, log),
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
    const volumes = await host.volumes();
    const hasPool = volumes.some((lv) => lv.name === poolName(volumeGroup));
    if (!hasPool && (volumes.length > 0 || chosen.lvm_metadata_only)) return 'thick';
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
      await host.group();
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

    async devicePath(volume) {
      return host.device((await requireVolume(host, volume)).name);
    },

    async stats() {
      const [group, volumes] = await Promise.all([host.group(), host.volumes()]);
      const pool = mode === 'thin' ? volumes.find((lv) => lv.name === poolName(volumeGroup)) : undefined;
      const sizes =
        pool === undefined
          ? { total: group.sizeBytes, free: group.freeBytes, provisioned: group.sizeBytes - group.freeBytes }
          : {
              total: pool.sizeBytes,
              free: pool.sizeBytes * (1 - (pool.dataPercent ?? 0) / 100),
              provisioned: sum(volumes.filter((lv) => lv.pool === pool.name).map((lv) => lv.sizeBytes)),
            };
      return statsOf(backend, sizes, {
        isThin: pool !== undefined,
        totalVolumes: volumes.filter(isVolume).length,
        extra: { lvm_type: pool === undefined ? 'default' : 'thin' },
      });
    },

    async poolOf(volume) {
      return lookUp(await host.volumes(), lvName(volume.name)).own === null ? null : backend;
    },

    async list() {
      const volumes = await host.volumes();
      return volumes
        .filter((lv) => isVolume(lv) || isSnapshot(lv))
        .map((lv) => ({
          name: backendName(lv.name),
          kind: isSnapshot(lv) ? 'snapshot' : 'volume',
          sizeBytes: lv.sizeBytes,
        }));
    },
  };
}

function isSnapshot(lv: LogicalVolume): boolean {
  return lv.tags.has(tags.owned) && lv.tags.has(tags.snapshot);
}

function isVolume(lv: LogicalVolume): boolean {
  const isOurs = lv.tags.has(tags.owned) && lv.segmentType !== 'thin-pool';
  return isOurs && !lv.tags.has(tags.snapshot) && !lv.tags.has(tags.temporary);
}

function statsOf(
  name: string,
  sizes: { readonly total: number; readonly free: number; readonly provisioned: number },
  more: { readonly isThin: boolean; readonly totalVolumes: number; readonly extra: Readonly<Record<string, unknown>> },
): DriverStats {
  const gb = (bytes: number) => Math.floor((bytes / GIB) * 100) / 100;
  const pool = {
    name,
    total: { kind: 'known', gb: gb(sizes.total) },
    free: { kind: 'known', gb: gb(sizes.free) },
    provisionedGb: gb(sizes.provisioned),
    thinProvisioning: more.isThin,
    thickProvisioning: !more.isThin,
    totalVolumes: more.totalVolumes,
    extra: more.extra,
  } as const;
  return { vendorName: 'Ashlar', driverVersion: '1.0.0', pools: [pool] };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
