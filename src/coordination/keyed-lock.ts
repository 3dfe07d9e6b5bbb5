/**
 * First-come-first-served locks by name, within one process. Several names are taken in sorted order, so two callers
 * that want the same set can never wait for each other.
 */
export interface KeyedLock {
  /** Runs work while holding every key; keys are released when it settles. */
  withKeys<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
  /** Keys that are held, and how many wait for each. */
  held(): ReadonlyMap<string, number>;
}

export function createKeyedLock(): KeyedLock {
  // The last promise of each key's queue. An entry stays only while somebody holds or waits for the key.
  const tails = new Map<string, { last: Promise<void>; users: number }>();

  async function acquire(key: string): Promise<() => void> {
    const entry = tails.get(key) ?? { last: Promise.resolve(), users: 0 };
    tails.set(key, entry);
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = entry.last;
    entry.last = promise;
    entry.users += 1;
    await before;
    return () => {
      entry.users -= 1;
      if (entry.users === 0) tails.delete(key);
      resolve();
    };
  }

  return {
    async withKeys(keys, work) {
      const releases: (() => void)[] = [];
      try {
        for (const key of [...new Set(keys)].sort()) releases.push(await acquire(key));
        return await work();
      } finally {
        for (const release of releases.reverse()) release();
      }
    },
    held: () => new Map([...tails].map(([key, entry]) => [key, entry.users - 1])),
  };
}
