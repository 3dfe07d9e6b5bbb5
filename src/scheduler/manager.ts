/** The scheduler: takes reports in, answers what pools there are, and places the operations that wait for it. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../db/store.ts';
import { createLimiter, forEachBounded } from '../lib/bounded.ts';
import { describeFlight, duringStep, fly } from '../lib/flight.ts';
import { sleep } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { failure, isFailure, messageOf } from '../model/errors.ts';
import { contextOf } from '../model/operation.ts';
import { isServiceUp } from '../model/service.ts';
import type { OperationRpc } from '../rpcapi/operations.ts';
import { SCHEDULER_TOPIC } from '../rpcapi/requests.ts';
import type { PoolReport } from '../rpcapi/scheduler.ts';
import { readCapabilityReport } from './capability-report.ts';
import { explain } from './explain.ts';
import type { PlacementRequest } from './filters/filter.ts';
import { createHostStates } from './host-state.ts';
import { createRules, placeNewVolume } from './operations/create-volume.ts';
import { checkExtension } from './operations/extend-volume.ts';
import type { SchedulerOptions } from './options.ts';
import { type Desk, endFailed, type Outcome } from './placement.ts';
import { viewPools } from './pools-view.ts';
import { readSpec } from './request-spec.ts';
import { select } from './select.ts';
import { settleReservations } from './settlement.ts';

export interface SchedulerManager {
  /** Takes the arguments of update_service_capabilities; what is no report of a volume service is logged and ignored. */
  receiveCapabilities(report: unknown): void;
  /** The pools of active backends. Filters: `name`, `volume_type` (id or name), and capabilities by their wire names. */
  getPools(filters?: Readonly<Record<string, unknown>> | null): Promise<readonly PoolReport[]>;
  /** Throws NoValidBackend where that place could not take the volume of the request spec now. */
  checkHost(place: string, requestSpec: unknown): Promise<void>;
  /**
   * Does what the operation waits for, if it waits for a scheduler; again, or by two schedulers at once, it is done once.
   * Never throws: what could not be done now stays in the record for a sweep.
   */
  perform(operationId: string): Promise<Outcome>;
  /**
   * Takes up every operation that waits for a scheduler; returns how many. For the start and for every few seconds after
   * it. May take scheduler_driver_init_wait_time after a start, while backends have not reported.
   */
  recover(): Promise<number>;
  sweep(): Promise<number>;
  /** Takes nothing new, leaves what waits for reports to the record, resolves when the rest has ended. */
  stop(): Promise<void>;
}

export interface SchedulerManagerParts {
  readonly store: Store;
  readonly operations: Pick<OperationRpc, 'wake'>;
  readonly options: SchedulerOptions;
  readonly log: Logger;
  readonly clock?: { now(): number };
}

/** How often an operation is tried anew when something changed under it, before it is left to a sweep. */
const OVERTAKEN_LIMIT = 3;
/** Operations of one sweep; the rest follow with the next. */
const SWEEP_LIMIT = 500;
/** Operations that may be in work or wait for a report in memory; the record holds the others. */
const IN_WORK_LIMIT = 2000;
/** Placements of a sweep at the same time. */
const SWEEP_CONCURRENCY = 8;
/** Uses of the database at the same time: less than a pool of connections has, so that reports find one too. */
const DATABASE_CONCURRENCY = 4;

/** Throws InvalidConfigurationValue for filters or weighers that do not exist. */
export function createSchedulerManager(parts: SchedulerManagerParts): SchedulerManager {
  const { store, options, log } = parts;
  const clock = parts.clock ?? { now: Date.now };
  const rules = createRules(options);
  const states = createHostStates(clock);
  const inWork = new Map<string, Promise<Outcome>>();
  const settlement = createSettlement(parts, states, inWork);
  const stopping = new AbortController();
  const initDeadlineMs = clock.now() + options.scheduler_driver_init_wait_time * 1000;
  let news = new AbortController();

  const desk: Desk = {
    store,
    states,
    options,
    log,
    clock,
    worker: randomUUID(),
    limited: createLimiter(DATABASE_CONCURRENCY),
    settled: settlement.settled,
    stopping: stopping.signal,
    async waitForReports(services) {
      const isMissing = services.some(
        (service) =>
          !service.disabled && isServiceUp(service, options.service_down_time) && !states.hasReported(service.host),
      );
      const leftMs = initDeadlineMs - clock.now();
      if ((states.ready && !isMissing) || leftMs <= 0 || stopping.signal.aborted) return false;
      await duringStep('waiting for backends to report what they have', () =>
        sleep(leftMs, AbortSignal.any([news.signal, stopping.signal])),
      );
      return !stopping.signal.aborted;
    },
    async wake(operation) {
      try {
        await parts.operations.wake(operation, contextOf(operation));
      } catch (error) {
        log.warn({ operation: operation.id, reason: messageOf(error) }, 'wake-up not sent; its owner will find it');
      }
    },
  };

  async function act(operationId: string): Promise<Outcome> {
    const operation = await desk.limited(() => store.operations.get(operationId));
    if (operation === null || operation.owner !== SCHEDULER_TOPIC || operation.finishedAt !== null) {
      return 'nothing to do';
    }
    describeFlight(operation);
    if (operation.method === 'create_volume') return placeNewVolume(desk, operation, rules);
    if (operation.method === 'extend_volume') return checkExtension(desk, operation);
    const reason = `a scheduler has no method ${operation.method}`;
    return endFailed(desk, operation, failure('InvalidInput', { reason }));
  }

  async function actUntilSettled(operationId: string): Promise<Outcome> {
    for (let attempt = 1; attempt <= OVERTAKEN_LIMIT; attempt += 1) {
      try {
        return await act(operationId);
      } catch (error) {
        if (!isFailure(error, 'Overtaken')) {
          // Whether a commit took place is not known here, so the promise of room stays until a report settles it.
          log.error({ operation: operationId, reason: messageOf(error) }, 'not placed now; it stays in the record');
          return 'left for later';
        }
        states.release(operationId);
        log.debug({ operation: operationId, attempt, reason: error.message }, 'overtaken; looking again');
      }
    }
    return 'left for later';
  }

  function perform(operationId: string): Promise<Outcome> {
    const running = inWork.get(operationId);
    if (running !== undefined) return running;
    if (stopping.signal.aborted || inWork.size >= IN_WORK_LIMIT) return Promise.resolve('left for later');
    const work = fly({ id: operationId, service: SCHEDULER_TOPIC }, () => actUntilSettled(operationId)).finally(() =>
      inWork.delete(operationId),
    );
    inWork.set(operationId, work);
    return work;
  }

  async function sweep(): Promise<number> {
    const waiting = await store.operations.listUnfinished(SCHEDULER_TOPIC, SWEEP_LIMIT);
    // A scheduler of another make may have passed an extension on already, and neither row nor record would tell.
    const others = await store.services.listForeign({ binary: SCHEDULER_TOPIC });
    const isShared = others.some((service) => isServiceUp(service, options.service_down_time));
    const fresh = waiting.filter(({ id, method }) => !inWork.has(id) && !(isShared && method === 'extend_volume'));
    await forEachBounded(fresh, SWEEP_CONCURRENCY, async ({ id }) => {
      await perform(id);
    });
    return fresh.length;
  }

  return {
    receiveCapabilities(args) {
      const report = readCapabilityReport(args);
      if (report === null) return log.warn({}, 'ignored a capability report that cannot be read');
      if (states.receive(report) === 'older') {
        return log.debug({ host: report.serviceHost }, 'ignored a capability report older than the known one');
      }
      settlement.begin(report.serviceHost);
      news.abort();
      news = new AbortController();
    },
    async getPools(filters) {
      await settlement.settled();
      const services = await store.services.list({ binary: 'cinder-volume' });
      const { name, volume_type: typeName, ...capabilities } = filters ?? {};
      const base = { capabilities, ...(typeof name === 'string' ? { name } : {}) };
      if (typeof typeName !== 'string') return viewPools(states.pools(), services, options.service_down_time, base);
      const type = (await store.types.get(typeName)) ?? (await store.types.getByName(typeName));
      const query = { ...base, extraSpecs: type?.extraSpecs ?? {} };
      return type === null ? [] : viewPools(states.pools(), services, options.service_down_time, query);
    },
    async checkHost(place, requestSpec) {
      await settlement.settled();
      const { sizeGb, typeId } = readSpec(requestSpec);
      const type = typeId === null ? null : await store.types.get(typeId);
      const services = await store.services.list({ binary: 'cinder-volume' });
      const request: PlacementRequest = {
        purpose: 'create',
        sizeGb,
        extraSpecs: type?.extraSpecs ?? {},
        availabilityZone: null,
        pinnedHost: place,
        excludedHosts: [],
        failures: {},
        serviceDownTimeSeconds: options.service_down_time,
      };
      const fleet = { pools: states.pools(), services, whyWithoutPools: states.whyWithoutPools };
      const selection = select(request, fleet, rules);
      if ('refused' in selection) throw failure('NoValidBackend', { reason: explain(selection.refused).brief });
    },
    perform,
    recover: sweep,
    sweep,
    async stop() {
      stopping.abort();
      await Promise.allSettled(inWork.values());
      await settlement.settled();
    },
  };
}

/** Runs at most one settlement per backend, and one more where a report came meanwhile. */
function createSettlement(
  { store, log }: Pick<SchedulerManagerParts, 'store' | 'log'>,
  states: ReturnType<typeof createHostStates>,
  inWork: ReadonlyMap<string, unknown>,
) {
  const running = new Map<string, { promise: Promise<void>; again: boolean }>();

  async function run(host: string): Promise<void> {
    try {
      await settleReservations(store, states, host, inWork);
    } catch (error) {
      log.warn({ host, reason: messageOf(error) }, 'reservations are kept as they are until the next report');
    }
  }

  function begin(host: string): void {
    const current = running.get(host);
    if (current !== undefined) {
      current.again = true;
      return;
    }
    const entry = { promise: Promise.resolve(), again: false };
    running.set(host, entry);
    entry.promise = (async () => {
      do {
        entry.again = false;
        await run(host);
      } while (entry.again);
      running.delete(host);
    })();
  }

  return {
    begin,
    async settled(): Promise<void> {
      await Promise.all([...running.values()].map(({ promise }) => promise));
    },
  };
}
