import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, type Executor, failure, isFailure, type Logger } from '#driver';
import * as commands from './commands.ts';
import { troubleOf } from './errors.ts';
import { tags } from './names.ts';
import { type LogicalVolume, parseGroup, parseVolumes, type VolumeGroup } from './report.ts';

export interface LvmSettings {
  readonly volumeGroup: string;
  readonly configFile: string;
  readonly suppressFdWarnings: boolean;
  readonly ionice: string | null;
  /** No device-mapper in the kernel: LVs exist in the metadata alone. For tests. */
  readonly metadataOnly: boolean;
}

const GIB = 1024 ** 3;
const COMMAND_DEADLINE_MS = 120_000;
/** Slowest disk that the deadlines of copies and wipes are made for. */
const SLOWEST_BYTES_PER_SECOND = 10 * 1024 * 1024;
const DEVICE_LIMIT_MS = 10_000;

export type LvmHost = ReturnType<typeof createLvmHost>;

/** lvm's commands on one volume group, with their deadlines; errors say what is wrong in the driver's terms. */
export function createLvmHost(settings: LvmSettings, executor: Executor, log: Logger) {
  const { volumeGroup } = settings;

  async function environment(): Promise<Record<string, string>> {
    const isThere = await access(settings.configFile).then(
      () => true,
      () => false,
    );
    return {
      ...(isThere ? { LVM_SYSTEM_DIR: dirname(settings.configFile) } : {}),
      ...(settings.suppressFdWarnings ? { LVM_SUPPRESS_FD_WARNINGS: '1' } : {}),
    };
  }

  /** Runs an lvm command; its stdout. `needGb` is told where there is no room. */
  async function run(argv: readonly [string, ...string[]], needGb = 0): Promise<string> {
    try {
      const env = await environment();
      return (await executor.run({ argv, privileged: true, env, timeoutMs: COMMAND_DEADLINE_MS })).stdout;
    } catch (error) {
      throw await explain(error, needGb);
    }
  }

  async function explain(error: unknown, needGb: number): Promise<unknown> {
    if (!(error instanceof CommandError)) return error;
    if (error.outcome === 'missing') {
      return failure('VolumeBackendAPIException', { reason: `${error.message} (Debian: lvm2).` }, error);
    }
    switch (troubleOf(error.result?.stderr ?? '')) {
      case 'full': {
        const freeGb = Math.floor((await group()).freeBytes / GIB);
        return failure('BackendFull', { freeGb, requestedGb: needGb }, error);
      }
      case 'no such group':
        return failure(
          'VolumeBackendAPIException',
          {
            reason:
              `there is no volume group '${volumeGroup}' (option volume_group). Make it with ` +
              `'vgcreate ${volumeGroup} DEVICE', or name the one you have.`,
          },
          error,
        );
      case 'no device-mapper':
        return noDeviceMapper(error);
      default:
        return error;
    }
  }

  async function group(): Promise<VolumeGroup> {
    return parseGroup(await run(commands.showGroup(volumeGroup)));
  }

  async function volumes(): Promise<readonly LogicalVolume[]> {
    return parseVolumes(await run(commands.listVolumes(volumeGroup)));
  }

  /** A command that moves bytes: its deadline grows with them, and the kernel ends it should we die. */
  async function move(argv: readonly [string, ...string[]], bytes: number): Promise<void> {
    const timeoutMs = COMMAND_DEADLINE_MS + (bytes / SLOWEST_BYTES_PER_SECOND) * 1000;
    await executor.run({
      argv: commands.withIonice(settings.ionice, argv),
      privileged: true,
      diesWithUs: true,
      timeoutMs,
    });
  }

  return {
    settings,
    run,
    group,
    volumes,

    async tag(name: string, tag: string): Promise<void> {
      await run(commands.changeTag('--addtag', volumeGroup, name, tag));
    },
    async untag(name: string, tag: string): Promise<void> {
      await run(commands.changeTag('--deltag', volumeGroup, name, tag));
    },

    /** Activates the LV and waits until its device is there. */
    async device(name: string): Promise<string> {
      if (settings.metadataOnly) throw noDeviceMapper();
      await run(commands.activate(volumeGroup, name));
      const path = `/dev/${volumeGroup}/${name}`;
      const deadline = performance.now() + DEVICE_LIMIT_MS;
      for (let delayMs = 5; ; delayMs = Math.min(delayMs * 2, 200)) {
        const isThere = await access(path).then(
          () => true,
          () => false,
        );
        if (isThere) return path;
        if (performance.now() > deadline) {
          throw failure('VolumeBackendAPIException', {
            reason: `${volumeGroup}/${name} is active, but ${path} did not appear. Look at udev on this host.`,
          });
        }
        await sleep(delayMs);
      }
    },

    /** Makes the range read as zeros, on disk when it returns. */
    async wipe(range: commands.Range): Promise<void> {
      const bytes = range.to - range.from;
      if (bytes <= 0) return;
      log.info({ ...range }, 'wiping');
      try {
        await move(commands.zeroOut(range), bytes);
      } catch (error) {
        if (!isFailure(error) || /resource busy/i.test(error.message)) throw error;
        log.warn({ ...range, error: error.message }, 'blkdiscard could not wipe, writing zeros with dd');
        await move(commands.zeroByDd(range), bytes);
      }
    },

    async copy(from: string, to: string, bytes: number, how: { readonly skipZeros: boolean }): Promise<void> {
      log.info({ from, to, bytes }, 'copying');
      await move(commands.copy(from, to, bytes, how), bytes);
    },

    /** Says durably that free space may hold old bytes, before it does. */
    async freeSpaceIsDirty(volume: LogicalVolume): Promise<void> {
      if (volume.groupTags.has(tags.freeSpaceIsZero))
        await run(commands.removeGroupTag(volumeGroup, tags.freeSpaceIsZero));
    },

    async hasDeviceMapper(): Promise<boolean> {
      try {
        await run(commands.listDeviceMapperTargets());
        return true;
      } catch (error) {
        if (error instanceof CommandError && error.outcome !== 'exit') throw error;
        return false;
      }
    },
  };
}

/** What the driver says where only LVM's metadata can be changed. */
export function noDeviceMapper(cause?: unknown): Error {
  return failure(
    'VolumeBackendAPIException',
    {
      reason:
        'this kernel has no device-mapper, so logical volumes cannot be used. ' +
        'Load dm_mod, or use volume_driver = file on this host.',
    },
    cause,
  );
}

/** The name is taken by what is not ours: said once, here. */
export function takenByForeign(volumeGroup: string, name: string): Error {
  return failure('VolumeBackendAPIException', {
    reason:
      `${volumeGroup}/${name} exists and does not have the tag '${tags.owned}', so it is left alone. Rename it, or, if it ` +
      `is this volume, hand it over with 'lvchange --addtag ${tags.owned} ${volumeGroup}/${name}'.`,
  });
}
