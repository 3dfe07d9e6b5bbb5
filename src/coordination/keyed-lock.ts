/**
 * First-come-first-served locks by name, within one process. Several names are taken in sorted order, so two callers
 * that want the same set can never wait for each other.
 */
import { currentFlight, type Flight, type LockHolder } from '../lib/flight.ts';
import { measure } from '../lib/measure.ts';
import type { Logger } from '../log/logger.ts';

export interface KeyedLock {
  /** Runs work while holding every key; keys are released when it settles. */
  withKeys<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
  /** Keys that are held, and how many wait for each. */
  held(): ReadonlyMap<string, number>;
  /** The same with who holds and who waits, for reports. */
  describe(): readonly LockDescription[];
}

export interface LockDescription {
  readonly lock: string;
  readonly holder: LockHolder | null;
  readonly waiters: readonly { readonly flight: Flight | null; readonly sinceMs: number }[];
}

export interface KeyedLockOptions {
  readonly log?: Logger;
  /** A wait that is longer is said in the log, once. */
  readonly sayAfterMs?: number;
}

interface Entry {
  /** The end of the queue. */
  last: Promise<void>;
  holder: LockHolder | null;
  readonly waiters: Set<LockHolder>;
}

const SAY_AFTER_MS = 10_000;

export function createKeyedLock({ log, sayAfterMs = SAY_AFTER_MS }: KeyedLockOptions = {}): KeyedLock {
  // An entry stays only while somebody holds or waits for the key.
  const entries = new Map<string, Entry>();

  async function acquire(key: string): Promise<() => void> {
    const entry = entries.get(key) ?? { last: Promise.resolve(), holder: null, waiters: new Set() };
    entries.set(key, entry);
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = entry.last;
    entry.last = promise;
    const flight = currentFlight() ?? null;
    const wait: LockHolder = { flight, sinceMs: Date.now() };
    entry.waiters.add(wait);
    const isFree = entry.holder === null && entry.waiters.size === 1;
    await (isFree ? before : waitInLine(key, entry, before, wait));
    entry.waiters.delete(wait);
    entry.holder = { flight, sinceMs: Date.now() };
    flight?.locks.push(key);
    return () => {
      entry.holder = null;
      if (flight !== null) flight.locks = flight.locks.filter((held) => held !== key);
      if (entry.waiters.size === 0) entries.delete(key);
      resolve();
    };
  }

  async function waitInLine(lock: string, entry: Entry, before: Promise<void>, { flight, sinceMs }: LockHolder) {
    if (flight !== null) flight.waitsFor = { lock, sinceMs, holder: () => entry.holder };
    const timer = setTimeout(() => {
      const holder = entry.holder?.flight;
      log?.warn(
        {
          lock,
          waited_ms: Date.now() - sinceMs,
          request_id: flight?.requestId ?? null,
          operation: flight?.id ?? null,
          holder: holder?.id ?? null,
          holder_method: holder?.method ?? null,
          holder_step: holder?.step ?? null,
        },
        'waiting for a lock',
      );
    }, sayAfterMs);
    timer.unref();
    await before;
    clearTimeout(timer);
    if (flight !== null) flight.waitsFor = null;
    measure({ what: 'lock wait', kind: lock.split(':', 1)[0]!, waitedMs: Date.now() - sinceMs });
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
    held: () => new Map([...entries].map(([key, { waiters }]) => [key, waiters.size])),
    describe: () => [...entries].map(([lock, { holder, waiters }]) => ({ lock, holder, waiters: [...waiters] })),
  };
}
