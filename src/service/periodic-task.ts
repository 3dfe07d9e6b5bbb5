import { sleep } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { messageOf } from '../model/errors.ts';

export interface PeriodicTask {
  /** Runs it now; joins a run that is under way by running once more after it. */
  trigger(): void;
  /** No further run; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/**
 * Runs work every `intervalMs`, counted from the end of the run before, so that a slow one never piles up. A run that
 * throws is logged and the next one comes all the same; one that fails as the run before did is only counted.
 */
export function startPeriodicTask(options: {
  readonly name: string;
  readonly intervalMs: number;
  /** Runs at once, instead of after one interval. */
  readonly immediately?: boolean;
  /** The least time between two runs: triggers that come sooner wait and become one. */
  readonly settleMs?: number;
  readonly work: () => Promise<void>;
  readonly log: Logger;
}): PeriodicTask {
  const stopping = new AbortController();
  let wake = new AbortController();
  let triggered = options.immediately === true;
  let endedAtMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let lastReason = '';
  const { name: task, log } = options;

  const run = async () => {
    try {
      await options.work();
      if (failures > 0) log.info({ task, failures }, 'periodic task works again');
      failures = 0;
      lastReason = '';
    } catch (error) {
      failures += 1;
      const reason = messageOf(error);
      if (reason !== lastReason) log.warn({ task, reason }, 'periodic task failed; it runs again');
      lastReason = reason;
    }
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      if (!triggered) await sleep(options.intervalMs, AbortSignal.any([stopping.signal, wake.signal]));
      const restMs = endedAtMs + (options.settleMs ?? 0) - performance.now();
      if (restMs > 0) await sleep(restMs, stopping.signal);
      if (stopping.signal.aborted) return;
      triggered = false;
      wake = new AbortController();
      await run();
      endedAtMs = performance.now();
    }
  };
  const running = loop();
  return {
    trigger() {
      triggered = true;
      wake.abort();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
