/**
 * From a process to a backend that takes work, and again after another process had its name:
 *
 *   have the lease -> open the fence, listen -> driver and target are set up -> recover -> up -> until the lease is lost
 *
 * Without the lease nothing is taken from the queues: the messages are for the process that has it.
 */
import { randomUUID } from 'node:crypto';
import { acquireLease, type Fence, type Lease } from '../coordination/lease.ts';
import { ownLife, readLife } from '../coordination/process-life.ts';
import { backoffMs } from '../lib/backoff.ts';
import { sleep } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { LeaseHeld, LeaseRecords } from '../model/lease.ts';

/** Where the backend stands. Requests that find it down fail at once if somebody waits, and else stay in the record. */
export type BackendState = { readonly kind: 'up' } | { readonly kind: 'down'; readonly reason: string };

/** How often its start has failed so far, and when it is tried again. */
export interface Outage {
  readonly attempts: number;
  readonly nextAttemptAt: Date;
}

export interface BringUpOptions {
  readonly leases: LeaseRecords;
  readonly leaseName: string;
  readonly leaseTtlMs: number;
  readonly fence: Fence;
  /** Begins to take messages; those that come before it is up are answered so. */
  listen(): Promise<void>;
  /** Takes no more, and hands back at once what is not done. */
  handBack(): Promise<void>;
  /** Driver, target, and what has to be over before requests are taken. */
  start(): Promise<void>;
  /** What a crash interrupted and may take long, beside new requests. */
  takeUp(): Promise<unknown>;
  onState(state: BackendState, outage?: Outage): void;
  readonly maxPauseMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

export interface BringUp {
  /** Resolves when it has ended, after the signal. */
  readonly ended: Promise<void>;
  /** Lets the next process have the name: at once, or where something is still under way here when the lease runs out. */
  end(options: { readonly idle: boolean }): Promise<void>;
}

/** Tries for ever, with growing pauses, until the signal ends it. */
export function startBringUp(options: BringUpOptions): BringUp {
  const { fence, signal, log } = options;
  const holder = randomUUID();
  let lease: Lease | null = null;
  let hasSaid = false;
  const say: BringUpOptions['onState'] = (state, outage) => {
    hasSaid = true;
    options.onState(state, outage);
  };
  const saying = { ...options, onState: say };

  async function run(): Promise<void> {
    while (!signal.aborted) {
      lease = await waitForLease(saying, holder);
      if (lease === null) return;
      fence.guardBy(lease);
      if (hasSaid) say({ kind: 'down', reason: 'it is starting' });
      log.debug({ lease: lease.name, epoch: lease.epoch }, 'the name is ours');
      const whileHeld = AbortSignal.any([signal, abortedBy(lease.lost)]);
      await serve(saying, whileHeld);
      await aborted(whileHeld);
      if (signal.aborted) return;
      await options.handBack().catch(() => undefined);
      say({ kind: 'down', reason: 'another process has taken over its name; it waits until that one has ended.' });
    }
  }

  return {
    ended: run(),
    end: async ({ idle }) => await (idle ? lease?.release() : lease?.leave()),
  };
}

/** Resolves when it is up, or cannot be any more. */
async function serve(options: BringUpOptions, signal: AbortSignal): Promise<void> {
  const { onState, log } = options;
  const held = { ...options, signal };
  const down = (reason: string, outage: Outage) => onState({ kind: 'down', reason }, outage);
  if (!(await untilDone({ ...held, what: 'no messages are taken', work: options.listen, onFailure: down }))) return;
  if (!(await untilDone({ ...held, what: 'backend is down', work: options.start, onFailure: down }))) return;
  onState({ kind: 'up' });
  log.info({}, 'backend is up');
  const what = 'interrupted operations are not taken up';
  await untilDone({ ...held, what, work: options.takeUp, onFailure: () => {} });
}

async function waitForLease(options: BringUpOptions, holder: string): Promise<Lease | null> {
  const { leases, leaseName, leaseTtlMs, onState, signal, log } = options;
  let saidOf = '';
  const onWait = (held: LeaseHeld) => {
    if (held.holder === saidOf) return;
    saidOf = held.holder;
    const reason = `another process has its name: ${whereabouts(held)}. Stop one of them; without a sign of life from the other this one takes over within ${Math.ceil(held.leftMs / 1000)} s.`;
    log.warn({ lease: leaseName, left_ms: held.leftMs }, reason);
    onState({ kind: 'down', reason });
  };
  let lease: Lease | null = null;
  await untilDone({
    ...options,
    what: 'backend is down',
    work: async () => {
      const life = JSON.stringify(ownLife());
      lease = await acquireLease({
        records: leases,
        name: leaseName,
        ttlMs: leaseTtlMs,
        holder,
        life,
        log,
        signal,
        onWait,
      });
    },
    onFailure: (reason, outage) => onState({ kind: 'down', reason }, outage),
  });
  return lease;
}

function whereabouts(held: LeaseHeld): string {
  const life = readLife(held.life);
  const own = ownLife();
  const isHere = life !== null && own !== null && life.boot === own.boot && life.namespace === own.namespace;
  return isHere ? `pid ${life.pid} on this machine` : 'one on another machine or in another container';
}

/** Tries until it succeeds, with growing pauses; false where the signal ends it before. */
async function untilDone(options: {
  readonly what: string;
  readonly work: () => Promise<unknown>;
  readonly onFailure: (reason: string, outage: Outage) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly maxPauseMs: number;
}): Promise<boolean> {
  const { what, work, signal, log } = options;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      await work();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const reason = messageOf(error);
      const pauseMs = backoffMs(attempt, { baseMs: 1000, maxMs: options.maxPauseMs });
      log.error({ attempt, pause_ms: pauseMs, reason }, `${what}; trying again`);
      options.onFailure(reason, { attempts: attempt, nextAttemptAt: new Date(Date.now() + pauseMs) });
      await sleep(pauseMs, signal);
    }
  }
  return false;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function abortedBy(event: Promise<void>): AbortSignal {
  const controller = new AbortController();
  void event.then(() => controller.abort());
  return controller.signal;
}
