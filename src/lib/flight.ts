/**
 * Flight data: what every piece of work in this process is doing at this moment. Whoever starts work wraps it in `fly`;
 * what runs inside finds its flight by itself (AsyncLocalStorage) and says its step, the lock it waits for, its command.
 * A step costs two assignments; nothing is kept of work that has ended.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Flight {
  readonly id: string;
  /** Who does it: `node@lvm`, `cinder-scheduler`. */
  readonly service: string;
  readonly startedAtMs: number;
  /** `create_volume`, empty until it is known. */
  method: string;
  resourceId: string | null;
  requestId: string | null;
  step: string;
  stepSinceMs: number;
  waitsFor: LockWait | null;
  /** Keys that it holds. */
  locks: string[];
  /** The last one, whether it still runs or has ended. */
  command: CommandNote | null;
}

export interface LockWait {
  readonly lock: string;
  readonly sinceMs: number;
  /** Who holds it now; null where that is no piece of work with a flight. */
  holder(): LockHolder | null;
}

export interface LockHolder {
  readonly flight: Flight | null;
  readonly sinceMs: number;
}

export interface CommandNote {
  /** Secrets masked. */
  readonly command: string;
  readonly timeoutMs: number;
  /** Null while it waits for a place among the commands that run. */
  startedAtMs: number | null;
  endedAtMs: number | null;
  exitCode: number | null;
  /** Why it has no exit code of its own: `timeout`, `signal`, …; null for one that ended by itself. */
  stopped: string | null;
}

const current = new AsyncLocalStorage<Flight>();
const inFlight = new Set<Flight>();

/** Runs work as a flight of its own. */
export async function fly<T>(
  of: { readonly id: string; readonly service: string },
  work: () => Promise<T>,
): Promise<T> {
  const now = Date.now();
  const flight: Flight = {
    ...of,
    startedAtMs: now,
    method: '',
    resourceId: null,
    requestId: null,
    step: 'reading the record',
    stepSinceMs: now,
    waitsFor: null,
    locks: [],
    command: null,
  };
  inFlight.add(flight);
  try {
    return await current.run(flight, work);
  } finally {
    inFlight.delete(flight);
  }
}

/** The flight that the caller belongs to. */
export function currentFlight(): Flight | undefined {
  return current.getStore();
}

/** All of this process, oldest first. */
export function flights(): readonly Flight[] {
  return [...inFlight];
}

/** Says what the work is about, once that is known. */
export function describeFlight({
  method,
  resourceId,
  requestId,
}: Pick<Flight, 'method' | 'resourceId' | 'requestId'>): void {
  const flight = current.getStore();
  if (flight !== undefined) Object.assign(flight, { method, resourceId, requestId });
}

/** From now on the work is at this step. */
export function atStep(step: string): void {
  const flight = current.getStore();
  if (flight === undefined) return;
  flight.step = step;
  flight.stepSinceMs = Date.now();
}

/** Runs work as a step; afterwards the step before it goes on. */
export async function duringStep<T>(step: string, work: () => Promise<T>): Promise<T> {
  const flight = current.getStore();
  if (flight === undefined) return await work();
  const { step: before, stepSinceMs } = flight;
  atStep(step);
  try {
    return await work();
  } finally {
    flight.step = before;
    flight.stepSinceMs = stepSinceMs;
  }
}

/**
 * The same object, each of whose methods is a step while its promise is not settled: `driver.createVolume`. `before` each
 * of them may throw.
 */
export function withSteps<T extends object>(prefix: string, object: T, before: () => void = () => {}): T {
  return new Proxy(object, {
    get(from, name) {
      const value: unknown = Reflect.get(from, name);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      return (...args: unknown[]) => {
        before();
        const flight = current.getStore();
        if (flight === undefined) return value.apply(from, args);
        const { step, stepSinceMs } = flight;
        const back = () => {
          flight.step = step;
          flight.stepSinceMs = stepSinceMs;
        };
        atStep(`${prefix}.${name}`);
        try {
          const result: unknown = value.apply(from, args);
          if (result instanceof Promise) return result.finally(back);
          back();
          return result;
        } catch (error) {
          back();
          throw error;
        }
      };
    },
  });
}
