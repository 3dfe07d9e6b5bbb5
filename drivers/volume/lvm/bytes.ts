/** Long work on bytes: zeros over a range, a range copied. In pieces, at a pace, ended by the kernel should we die. */
import { readFile, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atStep, CommandError, type Executor, type Logger } from '#driver';
import * as commands from './commands.ts';
import { restMs, slicesOf } from './pace.ts';

export interface Pace {
  readonly ionice: string | null;
  /** 0: no limit. */
  readonly copyBytesPerSecond: number;
  readonly wipeBytesPerSecond: number;
}

type Bytes = ReturnType<typeof createBytes>;

export type { Bytes };

const START_LIMIT_MS = 120_000;
/** Slowest disk that the deadlines are made for. */
const SLOWEST_BYTES_PER_SECOND = 10 * 1024 ** 2;
const MIB = 1024 ** 2;

export function createBytes(pace: Pace, executor: Executor, log: Logger) {
  async function move(argv: commands.Argv, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    await executor.run({
      argv: commands.withIonice(pace.ionice, argv),
      privileged: true,
      diesWithUs: true,
      timeoutMs: START_LIMIT_MS + (bytes / SLOWEST_BYTES_PER_SECOND) * 1000,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async function inSlices(
    what: string,
    range: commands.Range,
    bytesPerSecond: number,
    signal: AbortSignal | undefined,
    work: (slice: commands.Range) => Promise<void>,
  ): Promise<void> {
    const whole = range.to - range.from;
    log.info({ ...range }, what);
    for (const slice of slicesOf(range, bytesPerSecond)) {
      signal?.throwIfAborted();
      const startedAtMs = performance.now();
      await work(slice);
      atStep(`${what}: ${Math.ceil((slice.to - range.from) / MIB)} of ${Math.ceil(whole / MIB)} MiB`);
      const rest = restMs(slice.to - slice.from, performance.now() - startedAtMs, bytesPerSecond);
      if (rest > 0 && slice.to < range.to) await sleep(rest, undefined, { signal });
    }
  }

  async function zero(range: commands.Range, signal: AbortSignal | undefined): Promise<void> {
    const bytes = range.to - range.from;
    try {
      await move(commands.zeroOut(range), bytes, signal);
    } catch (error) {
      if (!(error instanceof CommandError) || error.outcome !== 'exit' || /resource busy/i.test(error.message)) {
        throw error;
      }
      log.warn({ ...range, error: error.message }, 'blkdiscard could not wipe, writing zeros with dd');
      await move(commands.zeroByDd(range), bytes, signal);
    }
  }

  /** blkdiscard leaves zeros in the disk's cache: what comes next says that they are there, and must not be there first. */
  async function flush({ device }: commands.Range): Promise<void> {
    await executor.run({ argv: commands.flush(device), privileged: true, timeoutMs: START_LIMIT_MS });
  }

  return {
    /** Makes the range read as zeros, on disk when it returns. Somebody waits for it. */
    async wipe(range: commands.Range): Promise<void> {
      await inSlices('wiping', range, 0, undefined, (slice) => zero(slice, undefined));
      await flush(range);
    },

    /** The same of what was deleted, within volume_clear_bps_limit. */
    async erase(range: commands.Range, signal: AbortSignal): Promise<void> {
      await inSlices('erasing', range, pace.wipeBytesPerSecond, signal, (slice) => zero(slice, signal));
      await flush(range);
    },

    /** Copies a range to the same place of `target`, within volume_copy_bps_limit. */
    copy: (range: commands.Range, target: string, how: { readonly skipZeros: boolean }) =>
      inSlices('copying', range, pace.copyBytesPerSecond, undefined, (slice) =>
        move(commands.copy(slice, target, how), slice.to - slice.from, undefined),
      ),

    /** Whether the device makes zeros by a command of its own, without their being sent to it. */
    async zeroesByItself(device: string): Promise<boolean> {
      try {
        const name = basename(await realpath(device));
        return Number(await readFile(`/sys/class/block/${name}/queue/write_zeroes_max_bytes`, 'utf8')) > 0;
      } catch {
        return false;
      }
    },
  };
}
