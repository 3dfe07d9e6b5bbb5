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

export function supervise<T extends Owned>(options: {
  readonly name: string;
  readonly first: T;
  readonly start: () => Promise<T>;
  /** Called after it is back. */
  readonly onRestart?: (next: T) => Promise<void>;
  readonly log: Logger;
}): Supervised {
  const { name, log } = options;
  const stopping = new AbortController();
  let current: T = options.first;

  const startAgain = async (): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      try {
        current = await options.start();
        if (stopping.signal.aborted) return await current.stop();
        log.warn({ process: name, attempt }, 'started again');
        await options.onRestart?.(current);
        return;
      } catch (error) {
        const pauseMs = backoffMs(attempt, { baseMs: 500, maxMs: 30_000 });
        log.error({ process: name, attempt, pause_ms: pauseMs, reason: messageOf(error) }, 'cannot be started again');
        await sleep(pauseMs, stopping.signal);
      }
    }
  };
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await current.exited;
      if (stopping.signal.aborted) return;
      log.error({ process: name }, 'has ended by itself');
      await startAgain();
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
