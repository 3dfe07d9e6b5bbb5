/**
 * The launcher of several processes: a parent that keeps one worker process in each of its places. The other launcher, of
 * several services in one process, needs no file: it calls their starts, and `stop` of each (service.ts) in reverse.
 */
import type { Logger } from '../log/logger.ts';
import { createForkThrottle, type ForkThrottle } from './fork-throttle.ts';
import type { ToWorker, WorkerProcess } from './worker-messages.ts';
import { type FirstOutcome, openWorkerSlot, type WorkerSlot, type WorkerStatus } from './worker-slot.ts';

export interface WorkerPlan {
  /** Single in the launcher: `lvm`, `api 1`. */
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Workers of one group share the limit on forks: as many in as many seconds as there are of them. */
  readonly group: string;
  /** The successor serves before the old one stops; else the old one stops first. */
  readonly overlaps: boolean;
}

export interface Launcher {
  /** When every first start has gone one way or the other: those that failed, with the reason. */
  readonly started: Promise<ReadonlyMap<string, string>>;
  status(): readonly WorkerStatus[];
  tell(message: ToWorker, names?: readonly string[]): void;
  /**
   * Brings the places to these plans, one after the other; a place with the same settings stays as it is. Answers why the
   * last one was given up, and then its old process runs as before and the places behind it were not touched; null: done.
   */
  change(plans: readonly WorkerPlan[]): Promise<FirstOutcome>;
  /** Takes new settings over without a restart: for plans in which only mutable options differ. */
  configure(plans: readonly WorkerPlan[]): Promise<void>;
  /** Puts one in place anew whatever becomes of it: for one that does not work anyway. */
  renew(plan: WorkerPlan): Promise<void>;
  /** Each drains within timeoutMs, all at the same time. */
  stop(options: { readonly timeoutMs: number }): Promise<void>;
  /** All end at once. */
  halt(): Promise<void>;
}

export interface LauncherOptions {
  readonly plans: readonly WorkerPlan[];
  readonly spawn: (plan: WorkerPlan) => WorkerProcess;
  readonly log: Logger;
  /** How long a worker that is replaced may drain. */
  readonly drainMs: () => number;
  readonly onChange?: () => void;
}

interface Place {
  readonly plan: WorkerPlan;
  readonly slot: WorkerSlot;
}

export function startLauncher(options: LauncherOptions): Launcher {
  const { log } = options;
  const places = new Map<string, Place>();
  /** Those on their way in or out; they end with us too. */
  const aside = new Set<WorkerSlot>();
  const throttles = new Map<string, ForkThrottle>();
  let isStopping = false;

  const open = (plan: WorkerPlan): Place => {
    const { name, settings } = plan;
    const throttle = throttles.get(plan.group) ?? createForkThrottle(groupSize(plan.group));
    throttles.set(plan.group, throttle);
    const onChange = options.onChange === undefined ? {} : { onChange: options.onChange };
    const slot = openWorkerSlot({ name, settings, spawn: () => options.spawn(plan), throttle, log, ...onChange });
    return { plan, slot };
  };
  const groupSize = (group: string) => Math.max(1, options.plans.filter((plan) => plan.group === group).length);
  const setAside = async (slot: WorkerSlot) => {
    aside.add(slot);
    await slot.stop(options.drainMs());
    aside.delete(slot);
  };

  /** Null where it serves now; else why not, and the old one is back. */
  const replace = async (plan: WorkerPlan): Promise<FirstOutcome> => {
    const old = places.get(plan.name);
    if (old !== undefined && !plan.overlaps) await setAside(old.slot);
    if (isStopping) return { reason: 'the service stops' };
    const next = open(plan);
    if (plan.overlaps) aside.add(next.slot);
    else places.set(plan.name, next);
    const outcome = await next.slot.firstOutcome;
    aside.delete(next.slot);
    if (isStopping) return { reason: 'the service stops' };
    if (outcome === null) {
      places.set(plan.name, next);
      if (old !== undefined && plan.overlaps) await setAside(old.slot);
      return null;
    }
    if (old === undefined) return outcome;
    await setAside(next.slot);
    if (!isStopping) places.set(plan.name, plan.overlaps ? old : open(old.plan));
    return outcome;
  };

  const change = async (plans: readonly WorkerPlan[]): Promise<FirstOutcome> => {
    const wanted = new Set(plans.map((plan) => plan.name));
    for (const plan of plans) {
      if (isStopping) return { reason: 'the service stops' };
      if (isSamePlan(places.get(plan.name)?.plan, plan)) continue;
      const outcome = await replace(plan);
      if (outcome !== null) return { reason: `${plan.name}: ${outcome.reason}` };
    }
    for (const [name, { slot }] of [...places]) {
      if (wanted.has(name) || isStopping) continue;
      await setAside(slot);
      places.delete(name);
    }
    return null;
  };

  // One at a time: a reload, and the mending of a broken one.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  const all = () => [...[...places.values()].map(({ slot }) => slot), ...aside];
  const endAll = async (end: (slot: WorkerSlot) => Promise<void>) => {
    isStopping = true;
    await Promise.all(all().map(end));
    await last;
    // What a change that was under way had begun.
    await Promise.all(all().map(end));
  };

  for (const plan of options.plans) places.set(plan.name, open(plan));
  const firsts = [...places.values()].map(async ({ plan, slot }) => [plan.name, await slot.firstOutcome] as const);
  return {
    started: Promise.all(firsts).then(
      (outcomes) => new Map(outcomes.flatMap(([name, outcome]) => (outcome === null ? [] : [[name, outcome.reason]]))),
    ),
    status: () => [...places.values()].map(({ slot }) => slot.status()),
    tell: (message, names) => {
      for (const { plan, slot } of places.values()) if (names?.includes(plan.name) ?? true) slot.tell(message);
    },
    change: (plans) => inTurn(() => change(plans)),
    configure: (plans) =>
      inTurn(async () => {
        for (const plan of plans) {
          const place = places.get(plan.name);
          if (place === undefined) continue;
          places.set(plan.name, { ...place, plan });
          place.slot.configure(plan.settings);
        }
      }),
    renew: (plan) =>
      inTurn(async () => {
        if (isStopping) return;
        const old = places.get(plan.name);
        if (old !== undefined) await setAside(old.slot);
        if (!isStopping) places.set(plan.name, open(plan));
      }),
    stop: ({ timeoutMs }) => endAll((slot) => slot.stop(timeoutMs)),
    halt: () => endAll((slot) => slot.halt()),
  };
}

function isSamePlan(a: WorkerPlan | undefined, b: WorkerPlan): boolean {
  return a !== undefined && JSON.stringify(a.settings) === JSON.stringify(b.settings);
}
