/**
 * Leases with an epoch: of all processes that want a name, one has it; each change of hands counts the epoch on.
 *
 * Who has a lease may act until `ttlMs` after the moment at which he asked for its last renewal, by his own clock; the
 * database hands it to another only `ttlMs` after it answered, which is later. So two never hold it at once, however long
 * one of them was stopped, swapped out or cut off. A holder that is known to have ended is followed at once.
 */
import { sleep } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { failure, messageOf } from '../model/errors.ts';
import type { LeaseHeld, LeaseRecords } from '../model/lease.ts';
import { isOver, readLife } from './process-life.ts';

export interface Lease {
  readonly name: string;
  readonly epoch: number;
  isHeld(): boolean;
  /** Resolves when another has taken it. Never rejects. */
  readonly lost: Promise<void>;
  /** Stops renewing and gives it back. A database that is away lets it run out. */
  release(): Promise<void>;
  /** Stops renewing and lets it run out: for one under which something is still under way. */
  leave(): Promise<void>;
}

export interface LeaseOptions {
  readonly records: LeaseRecords;
  readonly name: string;
  /** A uuid of this holder. */
  readonly holder: string;
  /** JSON of its ProcessLife, or any other text where that is not known. */
  readonly life: string;
  readonly ttlMs: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called each time that another is found to have it. */
  readonly onWait?: (held: LeaseHeld) => void;
  readonly clock?: { now(): number };
}

/** While another has it: as often as a successor should notice that the other one has ended. */
const ASK_AGAIN_MS = 500;
const RENEWALS_PER_TTL = 4;
/** After a renewal that failed. */
const RETRY_MS = 1000;

/** Waits until it has the lease; null where the signal ends the wait. Rejects where the database is away. */
export async function acquireLease(options: LeaseOptions): Promise<Lease | null> {
  const { records, name, holder, life, ttlMs, signal, clock = steadyClock } = options;
  let over: string | null = null;
  while (!signal.aborted) {
    const askedAtMs = clock.now();
    const taking = await records.take({ name, holder, life, ttlMs, over });
    if (taking.kind === 'taken') return keep({ ...options, clock }, taking.epoch, askedAtMs);
    const other = readLife(taking.life);
    over = other !== null && isOver(other) ? taking.holder : null;
    if (over !== null) continue;
    options.onWait?.(taking);
    await sleep(Math.min(ASK_AGAIN_MS, Math.max(1, taking.leftMs)), signal);
  }
  return null;
}

function keep(options: LeaseOptions & { clock: { now(): number } }, epoch: number, askedAtMs: number): Lease {
  const { records, name, ttlMs, log, clock } = options;
  const stopping = new AbortController();
  const lost = Promise.withResolvers<void>();
  let isOurs = true;
  let untilMs = askedAtMs + ttlMs;

  async function renewOn(): Promise<void> {
    let failures = 0;
    while (true) {
      await sleep(
        failures > 0 ? Math.min(RETRY_MS, ttlMs / RENEWALS_PER_TTL) : ttlMs / RENEWALS_PER_TTL,
        stopping.signal,
      );
      if (stopping.signal.aborted) return;
      const askedMs = clock.now();
      try {
        isOurs = await records.renew({ name, epoch, ttlMs });
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn({ lease: name, reason: messageOf(error) }, 'lease not renewed; trying on');
        continue;
      }
      if (!isOurs) {
        log.error({ lease: name, epoch }, 'another process has taken this lease; nothing more is done under it');
        return lost.resolve();
      }
      untilMs = askedMs + ttlMs;
    }
  }

  const renewing = renewOn();
  const leave = async () => {
    stopping.abort();
    await renewing;
  };
  return {
    name,
    epoch,
    isHeld: () => isOurs && clock.now() < untilMs,
    lost: lost.promise,
    leave,
    async release() {
      await leave();
      if (!isOurs) return;
      isOurs = false;
      await records.release({ name, epoch }).catch((error: unknown) => {
        log.warn({ lease: name, reason: messageOf(error) }, 'lease not given back; it runs out by itself');
      });
    },
  };
}

/**
 * The later of the two clocks: the monotonic one stands still while a virtual machine does, and the other one may be set
 * back. One that jumps ahead costs a pause until the next renewal.
 */
const startedAt = { steadyMs: performance.now(), wallMs: Date.now() };
const steadyClock = {
  now: () => Math.max(performance.now() - startedAt.steadyMs, Date.now() - startedAt.wallMs),
};

/** What asks before each effect whether it is still ours to make. Closed until a lease opens it. */
export interface Fence {
  /** Throws Fenced. */
  check(): void;
  isOpen(): boolean;
  /** Open while this lease is held; null closes it. */
  guardBy(lease: Lease | null): void;
}

export function createFence(name: string): Fence {
  let guard: Lease | null = null;
  const isOpen = () => guard?.isHeld() === true;
  return {
    isOpen,
    check() {
      if (!isOpen()) throw failure('Fenced', { what: name });
    },
    guardBy(lease) {
      guard = lease;
    },
  };
}
