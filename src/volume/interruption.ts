import { isDatabaseAway } from '../db/errors.ts';
import { isFailure } from '../model/errors.ts';

/**
 * True where an error says nothing about the work: the database could not be reached, or our lease has run out. The
 * record stays as it is, nothing is undone, and whoever may act then makes the whole attempt again.
 */
export function isInterruption(error: unknown): boolean {
  return isDatabaseAway(error) || isFailure(error, 'Fenced');
}
