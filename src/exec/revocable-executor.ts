import type { Executor } from '../driver/executor.ts';
import { sleep } from '../lib/timers.ts';

export interface RevocableExecutor extends Executor {
  /**
   * Nothing new is started. What runs gets graceMs to end by itself, since a tool that is killed half-way leaves more to
   * mend; then it is killed, its children with it.
   */
  revoke(graceMs: number): Promise<void>;
}

/** An executor whose commands can all be ended: by a process that must leave none behind. */
export function createRevocableExecutor(inner: Executor): RevocableExecutor {
  const refusing = new AbortController();
  const killing = new AbortController();
  const idle = new AbortController();
  let running = 0;
  return {
    ...inner,
    async run(command) {
      if (refusing.signal.aborted) return await inner.run({ ...command, signal: refusing.signal });
      const signals = command.signal === undefined ? [killing.signal] : [command.signal, killing.signal];
      running += 1;
      try {
        return await inner.run({ ...command, signal: AbortSignal.any(signals) });
      } finally {
        running -= 1;
        if (running === 0 && refusing.signal.aborted) idle.abort();
      }
    },
    async revoke(graceMs) {
      refusing.abort();
      if (running > 0) await sleep(graceMs, idle.signal);
      killing.abort();
    },
  };
}
