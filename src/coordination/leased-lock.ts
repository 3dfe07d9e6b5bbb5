/**
 * Keyed locks that hold between processes: of all members of a group (the services of one cluster), one at a time works
 * under a key. In this process the keyed lock puts callers in line; who is first there takes a lease on the key.
 *
 * Nobody waits in a local line while it holds a lease, and leases are taken in sorted order, so no two callers wait for each
 * other. In one process it is first come, first served; between processes whoever asks first after the key is free.
 */
import { randomUUID } from 'node:crypto';
import { currentFlight, type Flight, type LockHolder } from '../lib/flight.ts';
import { measure } from '../lib/measure.ts';
import { nameUuid } from '../lib/name-uuid.ts';
import type { Logger } from '../log/logger.ts';
import { failure } from '../model/errors.ts';
import type { LeaseHeld, LeaseRecords } from '../model/lease.ts';
import { createKeyedLock, type KeyedLock } from './keyed-lock.ts';
import { acquireLease, type Lease } from './lease.ts';
import { ownLife } from './process-life.ts';

/** A KeyedLock whose work may ask whether its keys are still its own. */
export interface LeasedLock extends KeyedLock {
  /**
   * Runs work while holding every key in this process and between processes. Rejects with Fenced where the signal ends the
   * wait, and as the database does where that is away; nothing is held then.
   */
  withKeys<T>(keys: readonly string[], work: (hold: Hold) => Promise<T>): Promise<T>;
}

export interface Hold {
  /** Asked before each effect. Throws Fenced where a lease has run out or is with another. */
  check(): void;
  isHeld(): boolean;
  /** Something goes on that outlives the work: the leases are not given back, they run out with their time. */
  leaveToRunOut(): void;
}

export interface LeasedLockOptions {
  readonly records: LeaseRecords;
  /** Whose keys these are, the same for all members: `cluster@backend`. */
  readonly group: string;
  /** This member, as others name it while they wait: `node@lvm`. */
  readonly member: string;
  readonly ttlMs: number;
  readonly log: Logger;
  /** Ends every wait for another member. */
  readonly signal: AbortSignal;
  /** A wait that is longer is said in the log, once. */
  readonly sayAfterMs?: number;
}

const SAY_AFTER_MS = 10_000;
/** Of the column that names a lease. */
const NAME_LENGTH = 255;

export function createLeasedLock(options: LeasedLockOptions): LeasedLock {
  const local = createKeyedLock(options);
  return {
    held: local.held,
    describe: local.describe,
    withKeys(keys, work) {
      const sorted = [...new Set(keys)].sort();
      return local.withKeys(sorted, () => underLeases(options, sorted, work));
    },
  };
}

async function underLeases<T>(
  options: LeasedLockOptions,
  keys: readonly string[],
  work: (hold: Hold) => Promise<T>,
): Promise<T> {
  const leases = new Map<string, Lease>();
  let toRunOut = false;
  const firstLost = () => [...leases].find(([, lease]) => !lease.isHeld())?.[0];
  const hold: Hold = {
    isHeld: () => firstLost() === undefined,
    check() {
      const lost = firstLost();
      if (lost !== undefined) throw fenced(options, lost);
    },
    leaveToRunOut() {
      toRunOut = true;
    },
  };
  try {
    for (const key of keys) leases.set(key, await take(options, key));
    // The first may have run out while the last was waited for.
    hold.check();
    return await work(hold);
  } finally {
    await Promise.all([...leases.values()].map((lease) => (toRunOut ? lease.leave() : lease.release())));
  }
}

async function take(options: LeasedLockOptions, key: string): Promise<Lease> {
  const { records, ttlMs, log, signal } = options;
  const flight = currentFlight() ?? null;
  const wait = waitElsewhere(options, key, flight);
  try {
    const lease = await acquireLease({
      records,
      name: leaseName(options.group, key),
      // Another one each time: what was left to run out is not taken back before its time, by this process neither.
      holder: randomUUID(),
      life: JSON.stringify({ ...ownLife(), ...noteOf(options.member, flight) }),
      ttlMs,
      log,
      signal,
      onWait: wait.onWait,
    });
    if (lease === null) throw fenced(options, key);
    return lease;
  } finally {
    wait.end();
  }
}

/** Tells of the wait for another member: in the flight, after a while in the log, at the end as a measurement. */
function waitElsewhere({ log, sayAfterMs = SAY_AFTER_MS }: LeasedLockOptions, lock: string, flight: Flight | null) {
  let waited: { readonly sinceMs: number; readonly timer: NodeJS.Timeout } | null = null;
  let seen: { readonly held: LeaseHeld; readonly sinceMs: number } | null = null;
  const holder = () => (seen === null ? null : holderElsewhere(lock, seen.held, seen.sinceMs));
  const say = () => {
    const other = holder()?.flight;
    log.warn(
      {
        lock,
        waited_ms: Date.now() - waited!.sinceMs,
        request_id: flight?.requestId ?? null,
        operation: flight?.id ?? null,
        holder: other?.id ?? null,
        holder_service: other?.service ?? null,
        holder_method: other?.method ?? null,
      },
      'waiting for a lock that another service has',
    );
  };
  return {
    onWait(held: LeaseHeld) {
      if (held.holder !== seen?.held.holder) seen = { held, sinceMs: Date.now() };
      if (waited !== null) return;
      const sinceMs = Date.now();
      waited = { sinceMs, timer: setTimeout(say, sayAfterMs) };
      waited.timer.unref();
      if (flight !== null) flight.waitsFor = { lock, sinceMs, holder };
    },
    end() {
      if (waited === null) return;
      clearTimeout(waited.timer);
      if (flight !== null) flight.waitsFor = null;
      measure({ what: 'lock wait', kind: lock.split(':', 1)[0]!, waitedMs: Date.now() - waited.sinceMs });
    },
  };
}

/** What stands in the lease beside the life, for those who wait. */
interface HolderNote {
  readonly service: string;
  readonly operation: string | null;
  readonly method: string | null;
  readonly request_id: string | null;
}

function noteOf(service: string, flight: Flight | null): HolderNote {
  return {
    service,
    operation: flight?.id ?? null,
    method: flight?.method ?? null,
    request_id: flight?.requestId ?? null,
  };
}

/** The holder as reports show one of this process. How long it has had the key is known only from when we first asked. */
function holderElsewhere(lock: string, { life }: LeaseHeld, sinceMs: number): LockHolder {
  const note = readNote(life);
  return {
    sinceMs,
    flight: {
      id: note.operation ?? '',
      service: note.service ?? 'another service',
      startedAtMs: sinceMs,
      method: note.method ?? '',
      resourceId: null,
      requestId: note.request_id ?? null,
      step: `at ${note.service ?? 'another service'}`,
      stepSinceMs: sinceMs,
      waitsFor: null,
      locks: [lock],
      command: null,
    },
  };
}

/** Whatever stands there: one of another version may have written it. */
function readNote(life: string): Partial<HolderNote> {
  try {
    const note = JSON.parse(life) as Readonly<Record<string, unknown>> | null;
    const text = (name: keyof HolderNote) => {
      const value = note?.[name];
      return typeof value === 'string' ? { [name]: value } : {};
    };
    return { ...text('service'), ...text('operation'), ...text('method'), ...text('request_id') };
  } catch {
    return {};
  }
}

function leaseName(group: string, key: string): string {
  const name = `${group} ${key}`;
  return name.length <= NAME_LENGTH ? name : nameUuid(name);
}

function fenced({ group }: LeasedLockOptions, key: string) {
  return failure('Fenced', { what: `${key} of the cluster ${group}` });
}
