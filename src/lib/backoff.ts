/** Milliseconds to wait before retry number `attempt` (1 is the first): doubling, capped, with up to a fifth of jitter. */
export function backoffMs(attempt: number, options: { baseMs: number; maxMs: number }, random = Math.random): number {
  const ms = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ms * (1 + random() / 5));
}
