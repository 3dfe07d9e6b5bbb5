/** Keeps a process that we own running: started again, with growing pauses, until we stop it ourselves. */
import { backoffMs } from '../../lib/backoff.ts';
import { sleep } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { messageOf } from '../../model/errors.ts';

export interface Owned {
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

export interface Supervised {
  stop(): Promise<void>;
}

/** One that ran for less has not been started well: the pauses go on growing. */
const RAN_WELL_MS = 10_000;
const PAUSE = { baseMs: 500, maxMs: 30_000 };

export function supervise<T extends Owned>(options: {
  readonly name: string;
  readonly first: T;
  readonly start: () => Promise<T>;
  /** Called after it is back, and again while it fails: the process that runs is not to blame. */
  readonly onRestart?: (next: T) => Promise<void>;
  readonly log: Logger;
}): Supervised {
  const { name, log } = options;
  const stopping = new AbortController();
  let current: T = options.first;
  let attempt = 0;

  /** True when it runs, false where it did not start. */
  const startAgain = async (): Promise<boolean> => {
    try {
      current = await options.start();
    } catch (error) {
      log.error({ process: name, attempt, reason: messageOf(error) }, 'cannot be started again; trying on');
      return false;
    }
    log.warn({ process: name, attempt }, 'started again');
    return true;
  };
  /** Until it succeeds, or the process that it is about has ended. */
  const tellOfRestart = async (): Promise<void> => {
    const over = new AbortController();
    void current.exited.then(() => over.abort());
    const signal = AbortSignal.any([over.signal, stopping.signal]);
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        return await options.onRestart?.(current);
      } catch (error) {
        const pauseMs = backoffMs(tries, PAUSE);
        const fields = { process: name, tries, pause_ms: pauseMs, reason: messageOf(error) };
        log.error(fields, 'runs again, but what depends on it could not be put back; trying on');
        await sleep(pauseMs, signal);
      }
    }
  };
  const watch = async (): Promise<void> => {
    for (let running = true; ; ) {
      const startedAtMs = performance.now();
      if (running) await current.exited;
      if (stopping.signal.aborted) return;
      if (running) log.error({ process: name }, 'has ended by itself');
      if (running && performance.now() - startedAtMs >= RAN_WELL_MS) attempt = 0;
      if (attempt > 0) await sleep(backoffMs(attempt, PAUSE), stopping.signal);
      if (stopping.signal.aborted) return;
      attempt += 1;
      running = await startAgain();
      if (stopping.signal.aborted) return running ? await current.stop() : undefined;
      if (running) await tellOfRestart();
    }
  };
  const watching = watch();
  return {
    async stop() {
      stopping.abort();
      await current.stop();
      await watching;
    },
  };
}
