import { duringStep } from '../lib/flight.ts';
import type { Logger } from '../log/logger.ts';
import { messageOf } from '../model/errors.ts';

/** The way back of one attempt: what is deferred runs last first, only where the attempt fails. */
export interface Undo {
  /** Registered before the effect it takes back; must be idempotent, since the effect may not have happened. */
  defer(what: string, undo: () => Promise<void>): void;
}

export interface UndoStack extends Undo {
  /** Runs every step, also after one failed; answers the sentences of those that failed. */
  run(log: Logger): Promise<string[]>;
}

export function createUndoStack(): UndoStack {
  const steps: { what: string; undo: () => Promise<void> }[] = [];
  return {
    defer: (what, undo) => {
      steps.push({ what, undo });
    },
    async run(log) {
      const failed: string[] = [];
      for (const { what, undo } of steps.reverse()) {
        try {
          await duringStep(`undoing: ${what}`, undo);
        } catch (error) {
          log.error({ step: what, reason: messageOf(error) }, 'undo failed; the next delete or repair cleans up');
          failed.push(`${what}: ${messageOf(error)}`);
        }
      }
      return failed;
    },
  };
}
