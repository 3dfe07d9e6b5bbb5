/** One place for a worker: a process with these settings runs in it, and is started again when it ends by itself. */
import { backoffMs } from '../lib/backoff.ts';
import { sleep, withTimeout } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { ForkThrottle } from './fork-throttle.ts';
import type { FromWorker, ToWorker, WorkerExit, WorkerProcess } from './worker-messages.ts';

/**
 * `starting`, `up`, `down` (it serves, but what it stands for does not work), `waiting` (for its next start), `broken`
 * (another start would not help), `ended`.
 */
export type WorkerState = 'starting' | 'up' | 'down' | 'waiting' | 'broken' | 'ended';

export interface WorkerStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly state: WorkerState;
  /** Why it is not up. */
  readonly reason: string | null;
  readonly starts: number;
  readonly since: Date;
}

/** How the first start went; null is well. */
export type FirstOutcome = { readonly reason: string } | null;

export interface WorkerSlot {
  status(): WorkerStatus;
  /** Settles when the first process serves, has failed to, or the place was given up. Never rejects. */
  readonly firstOutcome: Promise<FirstOutcome>;
  /** Says something to the process that runs, if one does. */
  tell(message: ToWorker): void;
  /** Settings that need no restart: told to the process that runs, and used for every later start. */
  configure(settings: Readonly<Record<string, unknown>>): void;
  /** Drains within timeoutMs, kills what does not end. Nothing is started any more. */
  stop(timeoutMs: number): Promise<void>;
  /** Ends it at once. */
  halt(): Promise<void>;
}

export interface WorkerSlotOptions {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly spawn: () => WorkerProcess;
  readonly throttle: ForkThrottle;
  readonly log: Logger;
  /** Called at every change of the status. */
  readonly onChange?: () => void;
}

/** One that served for less has not been started well: the pauses go on growing. */
const RAN_WELL_MS = 10_000;
const PAUSE = { baseMs: 1000, maxMs: 60_000 };
/** What a worker gets beyond its own limit to end, and to end at once. */
const STOP_MARGIN_MS = 5000;
const HALT_LIMIT_MS = 1500;

export function openWorkerSlot(options: WorkerSlotOptions): WorkerSlot {
  const { name, log, throttle } = options;
  const stopping = new AbortController();
  let { settings } = options;
  const first = Promise.withResolvers<FirstOutcome>();
  let running: WorkerProcess | null = null;
  let status: WorkerStatus = { name, pid: null, state: 'starting', reason: null, starts: 0, since: new Date() };
  const change = (next: Partial<WorkerStatus>) => {
    status = { ...status, ...next, ...(next.state === status.state ? {} : { since: new Date() }) };
    options.onChange?.();
  };

  const note = (message: FromWorker) => {
    if (message.kind !== 'state' || stopping.signal.aborted) return;
    if (message.state === 'up' && status.state !== 'up') log.info({ worker: name, pid: status.pid }, 'worker is up');
    if (message.state === 'down') log.warn({ worker: name, reason: message.reason }, 'worker serves, but is down');
    change({ state: message.state, reason: message.reason });
    first.resolve(null);
  };

  /** One process from its start to its end. */
  const conduct = async (): Promise<Ending> => {
    let servedAtMs: number | null = null;
    let failed: { reason: string; lasting: boolean } | null = null;
    try {
      running = options.spawn();
    } catch (error) {
      return { reason: `it could not be forked: ${messageOf(error)}`, lasting: false, ranWell: false };
    }
    change({ state: 'starting', pid: running.pid, starts: status.starts + 1, reason: null });
    running.onMessage((message) => {
      if (message.kind === 'failed') failed = message;
      else servedAtMs ??= performance.now();
      note(message);
    });
    running.send({ kind: 'start', settings });
    const exit = await running.exited;
    running = null;
    const ranWell = servedAtMs !== null && performance.now() - servedAtMs >= RAN_WELL_MS;
    return { ...(failed ?? { reason: `it ended with ${describeExit(exit)}`, lasting: false }), ranWell };
  };

  const run = async () => {
    for (let failures = 0; ; ) {
      await sleep(throttle.takeTurnMs(performance.now()), stopping.signal);
      if (stopping.signal.aborted) return;
      const ending = await conduct();
      if (stopping.signal.aborted) return;
      failures = ending.ranWell ? 0 : failures + 1;
      const pauseMs = failures <= 1 ? 0 : backoffMs(failures - 1, PAUSE);
      const next = ending.lasting ? 'it stays down until its configuration is mended' : 'it is started again';
      const fields = { worker: name, reason: ending.reason, ...(ending.lasting ? {} : { pause_ms: pauseMs }) };
      log.error(fields, `worker has ended; ${next}`);
      change({ state: ending.lasting ? 'broken' : 'waiting', pid: null, reason: ending.reason });
      first.resolve({ reason: ending.reason });
      if (ending.lasting) return;
      await sleep(pauseMs, stopping.signal);
    }
  };
  const over = run();

  const end = async (message: ToWorker, limitMs: number) => {
    stopping.abort();
    first.resolve({ reason: 'it was stopped' });
    const process = running;
    if (process !== null) {
      process.send(message);
      await withTimeout(process.exited, limitMs, () => new Error('late')).catch(() => {
        log.error({ worker: name, pid: process.pid, limit_ms: limitMs }, 'worker did not end in time and is killed');
        process.kill('SIGKILL');
      });
    }
    await over;
    change({ state: 'ended', pid: null, reason: null });
  };
  return {
    status: () => status,
    firstOutcome: first.promise,
    tell: (message) => running?.send(message),
    configure(next) {
      settings = next;
      running?.send({ kind: 'configure', settings });
    },
    stop: (timeoutMs) => end({ kind: 'stop', timeoutMs }, timeoutMs + STOP_MARGIN_MS),
    halt: () => end({ kind: 'halt' }, HALT_LIMIT_MS),
  };
}

interface Ending {
  readonly reason: string;
  readonly lasting: boolean;
  readonly ranWell: boolean;
}

function describeExit({ code, signal }: WorkerExit): string {
  return signal === null ? `exit status ${code}` : `signal ${signal}`;
}
