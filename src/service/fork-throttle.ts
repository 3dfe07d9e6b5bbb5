/**
 * Holds forks back: no more than `forks` of them in `forks` seconds, as the field knows it from oslo.service. Answers how
 * long the next one has to wait, and counts it as made then.
 */
export function createForkThrottle(forks: number): { takeTurnMs(nowMs: number): number } {
  const windowMs = forks * 1000;
  /** When the last ones were, or will be. */
  const made: number[] = [];
  return {
    takeTurnMs(nowMs) {
      const oldest = made.length < forks ? Number.NEGATIVE_INFINITY : made.shift()!;
      const atMs = Math.max(nowMs, oldest + windowMs);
      made.push(atMs);
      return atMs - nowMs;
    },
  };
}

export type ForkThrottle = ReturnType<typeof createForkThrottle>;
