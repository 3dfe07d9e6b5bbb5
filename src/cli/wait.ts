import { setTimeout as sleep } from 'node:timers/promises';
import { CliFailure, EXIT } from './exit-codes.ts';
import type { CliIo } from './io.ts';
import { startProgress } from './progress.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const PAUSE_GROWTH = 1.4;
/** How often in a row the API may be away while we wait: a node that is restarted is back within this many seconds. */
const MOST_ABSENCES = 15;

export interface Wait<T> {
  /** `volume data`: what is waited for, in sentences. */
  readonly what: string;
  /** What types the look that the user may take later: `ashlar volume show data`. */
  readonly look: string;
  readonly limitMs: number;
  /** The resource as it is now, null when it is gone. */
  read(): Promise<T | null>;
  statusOf(resource: T): string;
  /** True while the work goes on. */
  isAtWork(resource: T | null): boolean;
}

/**
 * Reads until the work is over, or the limit runs out (exit code 5). An API that goes away for a few seconds is waited
 * for as well. Returns the resource as it was when the work was over; how it ended is the caller's to judge.
 */
export async function waitWhile<T>(io: CliIo, wait: Wait<T>): Promise<T | null> {
  using progress = startProgress(io);
  const endsAt = performance.now() + wait.limitMs;
  let status = 'requested';
  let absences = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWTH, LONGEST_PAUSE_MS)) {
    try {
      const resource = await wait.read();
      absences = 0;
      if (!wait.isAtWork(resource)) return resource;
      status = resource === null ? 'not there yet' : wait.statusOf(resource);
    } catch (error) {
      if (!(error instanceof CliFailure && error.transient) || ++absences > MOST_ABSENCES) throw error;
      status = 'the API is away';
      pauseMs = LONGEST_PAUSE_MS;
    }
    progress.show(`${wait.what}: ${status}`);
    const restMs = endsAt - performance.now();
    if (restMs <= 0) {
      const message = `${wait.what} is still '${status}' after ${wait.limitMs / 1000} s. The work goes on: ${wait.look}`;
      throw new CliFailure(EXIT.waitedTooLong, message);
    }
    await sleep(Math.min(pauseMs, restMs));
  }
}
