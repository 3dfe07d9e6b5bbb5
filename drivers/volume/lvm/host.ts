import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, createLimiter, type Executor, failure, type Logger } from '#driver';
import { createBatch } from './batch.ts';
import * as commands from './commands.ts';
import { troubleOf } from './errors.ts';
import { tags } from './names.ts';
import { type LogicalVolume, parseDisks, parseView, staleMarks, type View } from './report.ts';
import { createViewCache } from './view-cache.ts';

export interface LvmSettings {
  readonly volumeGroup: string;
  readonly configFile: string;
  readonly suppressFdWarnings: boolean;
  /** No device-mapper in the kernel: LVs exist in the metadata alone. For tests. */
  readonly metadataOnly: boolean;
}

const GIB = 1024 ** 3;
const COMMAND_DEADLINE_MS = 120_000;
const DEVICE_LIMIT_MS = 10_000;
/** Exit code of a program that crashed (SIGSEGV), where something between reports it. */
const CRASHED = 139;
/** How old a view may be where a change by others a moment ago does not matter. */
const RECENT_MS = 1000;
/** How long the wiper lets others go first, before each batch; and how often it looks whether any are left. */
const GIVE_WAY_MS = 5000;
const GIVE_WAY_POLL_MS = 50;
/** Deleted, or activated, by one command. */
const BATCH = 64;

export type LvmHost = ReturnType<typeof createLvmHost>;

/** lvm's commands on one volume group, with their deadlines; errors say what is wrong in the driver's terms. */
export function createLvmHost(settings: LvmSettings, executor: Executor, log: Logger) {
  const { volumeGroup } = settings;
  const views = createViewCache(async () => {
    const text = await run(commands.showAll(volumeGroup));
    disks = parseDisks(text);
    return parseView(text);
  });
  let disks: readonly string[] = [];
  /**
   * lvm writes its metadata and does not flush it (measured): a power cut would take back what we have answered. One flush
   * is for all whose changes were made before it began.
   */
  const flushed = createViewCache(() => Promise.all(disks.map((disk) => run(commands.flush(disk)))));
  /** Changes of the group go one after the other, in the order asked for: lvm's own lock is not fair. */
  const inTurn = createLimiter(1);
  let waiting = 0;
  const queue = async <T>(work: () => Promise<T>): Promise<T> => {
    waiting += 1;
    try {
      return await inTurn(work);
    } finally {
      waiting -= 1;
    }
  };

  const find = (view: View, name: string) => view.volumes.find((lv) => lv.name === name);

  async function environment(): Promise<Record<string, string>> {
    return {
      ...((await exists(settings.configFile)) ? { LVM_SYSTEM_DIR: dirname(settings.configFile) } : {}),
      ...(settings.suppressFdWarnings ? { LVM_SUPPRESS_FD_WARNINGS: '1' } : {}),
    };
  }

  /** Runs an lvm command; its stdout. `needGb` is told where there is no room. */
  async function run(argv: commands.Argv, needGb = 0): Promise<string> {
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
        const freeGb = Math.floor((await views.get(0)).group.freeBytes / GIB);
        return failure('BackendFull', { freeGb, requestedGb: needGb }, error);
      }
      case 'unreadable disk':
        return unreadable(error);
      case 'no such group':
        // Seen before: lvm says the same of a group whose disk cannot be read.
        if (disks.length > 0) return unreadable(error);
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

  function unreadable(cause: unknown): Error {
    const which = disks.length === 0 ? '' : ` (${disks.join(', ')})`;
    const reason =
      `a disk under volume group '${volumeGroup}'${which} cannot be read or written. Look with 'dmesg' and 'pvs', mend ` +
      'the disk, and try again; do not make the group anew.';
    return failure('VolumeBackendAPIException', { reason }, cause);
  }

  /**
   * Changes something, in the group's queue. A command that was cut off has done its work or not: `isDone` is asked of
   * what is there then, and only where it is not, the command runs once more.
   */
  async function change(argv: commands.Argv, isDone: (view: View) => boolean, needGb = 0): Promise<void> {
    await queue(() => changeInTurn(argv, isDone, needGb));
    await flushed.get(0);
  }

  async function changeInTurn(argv: commands.Argv, isDone: (view: View) => boolean, needGb = 0): Promise<void> {
    try {
      await run(argv, needGb).finally(views.changed);
    } catch (error) {
      if (!wasCutOff(error)) throw error;
      if (isDone(await views.get(0))) return;
      log.warn({ command: argv.slice(0, 1), error: String(error) }, 'an lvm command was cut off; once more');
      await run(argv, needGb).finally(views.changed);
    }
  }

  /** Each piece chooses from one report, read in the turn, so nothing of ours comes between; one change marks them all. */
  const quarantine = createBatch<Choice, View>(queue, BATCH, async (choices) => {
    const view = await views.get(0);
    const marks = new Set<string>();
    const results = choices.map((choose): PromiseSettledResult<View> => {
      try {
        for (const { uuid } of choose(view)) marks.add(tags.deleted + uuid);
        return { status: 'fulfilled', value: view };
      } catch (reason) {
        return { status: 'rejected', reason };
      }
    });
    if (marks.size > 0) {
      const isDone = (after: View) => [...marks].every((mark) => after.group.tags.has(mark));
      await changeInTurn(commands.addGroupTags(volumeGroup, [...marks]), isDone);
      await flushed.get(0);
    }
    return results;
  });

  const activate = createBatch<string, void>(queue, BATCH, async (names) => {
    const activateAll = (some: readonly string[]) => {
      const isDone = (view: View) => some.every((name) => find(view, name)?.isActive === true);
      return changeInTurn(commands.activate(volumeGroup, ...some), isDone);
    };
    try {
      await activateAll(names);
      return names.map(() => ({ status: 'fulfilled', value: undefined }));
    } catch (error) {
      if (names.length === 1) throw error;
    }
    // One that cannot be activated must not keep the others from it.
    const results: PromiseSettledResult<void>[] = [];
    for (const name of names) results.push(...(await Promise.allSettled([activateAll([name])])));
    return results;
  });

  return {
    settings,
    change,
    /** As it is now. */
    view: () => views.get(0),
    /** As it was a moment ago at most, with every change of ours. */
    recentView: (maxAgeMs = RECENT_MS) => views.get(maxAgeMs),
    /** As it was up to that long ago, and how many changes of ours are not in it. */
    olderView: (maxAgeMs: number) => views.atMostOld(maxAgeMs),

    /**
     * Takes LVs away from their users, in one step that a crash leaves done or not done: they are marked as deleted, and
     * nobody finds them any more. The wiper erases and removes them (wiper.ts). `choose` says which, from what is there,
     * or throws; it sees the view that is answered.
     */
    quarantine,

    async tag(name: string, tag: string): Promise<void> {
      await change(commands.addTag(volumeGroup, name, tag), (view) => find(view, name)?.tags.has(tag) === true);
    },
    async untag(name: string, tag: string): Promise<void> {
      await change(commands.removeTag(volumeGroup, name, tag), (view) => find(view, name)?.tags.has(tag) === false);
    },
    async rename(from: string, to: string): Promise<void> {
      await change(commands.rename(volumeGroup, from, to), (view) => find(view, from) === undefined);
    },
    async remove(...names: readonly string[]): Promise<void> {
      const isDone = (view: View) => names.every((name) => find(view, name) === undefined);
      await change(commands.remove(volumeGroup, ...names), isDone);
    },
    activate,

    /** Waits while others change the group, but not for ever: for what nobody waits for. */
    async giveWay(signal: AbortSignal): Promise<void> {
      const deadline = performance.now() + GIVE_WAY_MS;
      while (waiting > 0 && performance.now() < deadline && !signal.aborted) await sleep(GIVE_WAY_POLL_MS);
    },

    /** Removes these LVs, and none that has got the name of one since. Their marks are forgotten by `forget`. */
    async removeExactly(volumes: readonly Pick<LogicalVolume, 'name' | 'uuid'>[]): Promise<void> {
      const isDone = (view: View) => !view.volumes.some(({ uuid }) => volumes.some((gone) => gone.uuid === uuid));
      await change(commands.removeExactly(volumeGroup, volumes), isDone);
    },
    /** Takes away marks of LVs that are gone (report.ts, staleMarks). */
    async forget(marks: readonly string[]): Promise<void> {
      await change(commands.removeGroupTags(volumeGroup, marks), (view) => staleMarks(view).length === 0);
    },

    /** Activates the LV where it is not, and waits until its device is there. */
    async device(lv: LogicalVolume): Promise<string> {
      if (settings.metadataOnly) throw noDeviceMapper();
      const path = `/dev/${volumeGroup}/${lv.name}`;
      if (lv.isActive && (await exists(path))) return path;
      await activate(lv.name);
      const deadline = performance.now() + DEVICE_LIMIT_MS;
      for (let delayMs = 5; ; delayMs = Math.min(delayMs * 2, 200)) {
        if (await exists(path)) return path;
        if (performance.now() > deadline) {
          throw failure('VolumeBackendAPIException', {
            reason: `${volumeGroup}/${lv.name} is active, but ${path} did not appear. Look at udev on this host.`,
          });
        }
        await sleep(delayMs);
      }
    },

    /** Says durably that free space may hold old bytes, before it does. */
    async freeSpaceIsDirty(): Promise<void> {
      const isSaid = (view: View) => !view.group.tags.has(tags.freeSpaceIsZero);
      if (isSaid(await views.get(RECENT_MS))) return;
      await change(commands.removeGroupTags(volumeGroup, [tags.freeSpaceIsZero]), isSaid);
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

/** Which LVs of a view. */
type Choice = (view: View) => readonly LogicalVolume[];

/** lvcreate refused because an LV of that name is there. */
export function isNameTaken(error: unknown): boolean {
  return error instanceof CommandError && troubleOf(error.result?.stderr ?? '') === 'exists';
}

/** It ended without an answer of its own: what it has done is unknown. */
function wasCutOff(error: unknown): boolean {
  if (!(error instanceof CommandError)) return false;
  return error.outcome === 'signal' || error.outcome === 'lost' || error.result?.exitCode === CRASHED;
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

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
