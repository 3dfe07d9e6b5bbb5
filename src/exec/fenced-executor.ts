import type { Executor } from '../driver/executor.ts';

/** Asks before each command whether it may still be run; `mayAct` throws where not. */
export function createFencedExecutor(inner: Executor, mayAct: () => void): Executor {
  return {
    ...inner,
    mayAct,
    async run(command) {
      mayAct();
      return await inner.run(command);
    },
  };
}
