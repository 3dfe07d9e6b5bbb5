/**
 * One reading shared by all who want it. A reading that began before a change of ours ended is never handed out after it;
 * one that is younger than the caller accepts is, without another command. Whoever comes while one runs shares the next.
 */
export interface ViewCache<T> {
  /** A reading that began at most `maxAgeMs` ago; 0: one that begins now or later. */
  get(maxAgeMs: number): Promise<T>;
  /** A reading of that age at most, whatever was changed since, and how many changes those were. */
  atMostOld(maxAgeMs: number): Promise<{ readonly value: T; readonly changes: number }>;
  /** Something was changed: what was read before, or is being read, is not handed out any more. */
  changed(): void;
}

export function createViewCache<T>(read: () => Promise<T>, now: () => number = () => performance.now()): ViewCache<T> {
  interface Reading {
    readonly startedAtMs: number;
    readonly changes: number;
    readonly value: Promise<T>;
  }
  let changes = 0;
  let latest: Reading | null = null;
  let isRunning = false;
  let next: Promise<T> | null = null;

  function start(): Promise<T> {
    isRunning = true;
    const value = read().finally(() => {
      isRunning = false;
    });
    const reading = { startedAtMs: now(), changes, value };
    latest = reading;
    // One that failed is nothing to keep.
    value.catch(() => {
      if (latest === reading) latest = null;
    });
    return value;
  }

  async function atMostOld(maxAgeMs: number) {
    const known = latest;
    if (known !== null && now() - known.startedAtMs <= maxAgeMs) {
      const value = await known.value;
      return { value, changes: changes - known.changes };
    }
    return { value: await get(0), changes: 0 };
  }

  function get(maxAgeMs: number): Promise<T> {
    const isGood = latest !== null && latest.changes === changes && maxAgeMs > 0;
    if (isGood && now() - latest!.startedAtMs <= maxAgeMs) return latest!.value;
    if (!isRunning) return start();
    next ??= latest!.value
      .catch(() => {})
      .then(() => {
        next = null;
        return start();
      });
    return next;
  }

  return {
    get,
    atMostOld,
    changed() {
      changes += 1;
    },
  };
}
