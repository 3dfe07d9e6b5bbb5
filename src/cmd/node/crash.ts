/** The last word of a process that meets an error which nobody expected: it goes on with nothing half-known. */
import type { Logger } from '../../log/logger.ts';
import { messageOf } from '../../model/errors.ts';

/**
 * Logs an exception that nobody caught, or a rejection that nobody awaited, says it in a line, and ends the process.
 * What it started ends with it, and the next start finds what was under way in the record. Answers how to let go.
 */
export function endOnUnexpectedError(options: {
  readonly log: Logger;
  readonly say: (line: string) => void;
  readonly exit: (code: number) => void;
}): () => void {
  const { log, say, exit } = options;
  const onError = (error: unknown, origin: string) => {
    try {
      log.error({ err: error, origin }, 'ends: an error that nobody expected');
      say(
        `Ashlar ends, of an error that nobody expected: ${messageOf(error)}. Its log has the details; please report it.`,
      );
      say('Start it again: what was under way is in the record and goes on.');
    } finally {
      exit(1);
    }
  };
  process.on('uncaughtException', onError);
  return () => process.off('uncaughtException', onError);
}
