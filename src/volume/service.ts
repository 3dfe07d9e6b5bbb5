/** The volume service of one backend: starts the driver, recovers, listens, beats, reports; stops in order. */
import { randomUUID } from 'node:crypto';
import { createKeyedLock } from '../coordination/keyed-lock.ts';
import { createFence, type Fence } from '../coordination/lease.ts';
import type { Store } from '../db/store.ts';
import type { VolumeDriver } from '../driver/driver.ts';
import type { Target } from '../driver/target.ts';
import { measure } from '../lib/measure.ts';
import { withTimeout } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import type { RequestContext } from '../model/context.ts';
import { failure } from '../model/errors.ts';
import { contextOf } from '../model/operation.ts';
import { volumeAddresses } from '../rpc/addresses.ts';
import { reportCapabilities } from '../rpc/clients.ts';
import type { RpcListener, Transport } from '../rpc/transport.ts';
import { VOLUME_TOPIC } from '../rpcapi/requests.ts';
import { startHeartbeat } from '../service/heartbeat.ts';
import { createInbox } from '../service/inbox.ts';
import { answerInquiries } from '../service/inquiries.ts';
import { createOperationRpc } from '../service/peers/operation-rpc.ts';
import { startPeriodicTask } from '../service/periodic-task.ts';
import type { RunningService } from '../service/service.ts';
import { createBackend } from './backend.ts';
import { type BackendState, type Outage, startBringUp } from './bring-up.ts';
import { completeForVolume, directMethods, volumeOf } from './direct-methods.ts';
import { startMaintenance } from './maintenance.ts';
import { createVolumeManager } from './manager.ts';
import { operations } from './operations/index.ts';
import { contributeVolumeStatus } from './own-status.ts';
import { recover, recoverOperations, restoreExports, sweepOperations } from './recovery.ts';
import { backendStats, poolMeasurement, statsToWire } from './stats.ts';

/** A wake-up that has not come this long after its record was written is taken for lost. */
const LOST_AFTER_MS = 30_000;
/** Between two looks for what nobody works on. */
const SWEEP_INTERVAL_MS = 10_000;
/** After an operation was cut off it is looked for sooner, so that a database that was away for a moment costs a moment. */
const SWEEP_SETTLE_MS = 1000;
/** Changes of capacity that follow a report within this time are told in one. */
const REPORT_SETTLE_MS = 500;
const SERVICE_DOWN_TIME_MS = 60_000;

export interface VolumeServiceOptions {
  readonly store: Store;
  readonly transport: Transport;
  readonly driver: VolumeDriver;
  readonly target: Target;
  /** `host@backend`. */
  readonly serviceHost: string;
  readonly backendName: string;
  readonly volumeBackendName: string;
  readonly availabilityZone: string;
  readonly reservedPercentage: number;
  readonly maxOverSubscriptionRatio: number | 'auto';
  readonly volumeNameTemplate: string;
  readonly snapshotNameTemplate: string;
  readonly reportIntervalMs: number;
  readonly statsIntervalMs: number;
  readonly enableNewServices: boolean;
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly maxRetryPauseMs: number;
  /** How long the service may act without having renewed its lease. Default 60,000. */
  readonly serviceDownTimeMs?: number;
  /** Asked before each effect; given where the driver's executor asks it too. */
  readonly fence?: Fence;
  /** Called whenever it is known where the backend stands. */
  readonly onState?: (state: BackendState) => void;
  readonly log: Logger;
}

export interface VolumeService extends RunningService {
  /** Where the backend stands after the first attempt to start it; never rejects. */
  readonly firstState: Promise<BackendState>;
  /** Compares and repairs the exports, after the target daemon was started anew. */
  restoreExports(): Promise<void>;
}

export async function startVolumeService(options: VolumeServiceOptions): Promise<VolumeService> {
  const { store, transport, log, serviceHost } = options;
  const stopping = new AbortController();
  const rpc = createOperationRpc({ transport, store, log });
  const fence = options.fence ?? createFence(serviceHost);
  const backend = createBackend({ ...options, fence });
  const capabilities = keepCapabilities(options);
  const report = startReports(options, capabilities, () => state);
  const locks = createKeyedLock({ log });
  const manager = createVolumeManager({
    store,
    backend,
    operations,
    locks,
    concurrency: options.concurrency,
    maxAttempts: options.maxAttempts,
    log,
    onCapacityChange: () => {
      report.trigger();
      maintenance.trigger();
    },
    onReschedule: (operation) => {
      // A Cinder's scheduler writes messages for the project that the context names.
      void rpc.wake(operation, contextOf(operation));
    },
    onCutOff: () => sweep.trigger(),
  });
  const recovery = { store, backend, manager, locks, log, requestsMayWait: transport.reach === 'network' };
  let state: BackendState = { kind: 'down', reason: 'it is starting' };
  let since = new Date();
  let outage: Outage | null = null;
  // A process that stood still, or lost the database for long, takes nothing until its lease is renewed.
  const whyNotWorking = () => {
    if (state.kind === 'down') return state.reason;
    return fence.isOpen() ? null : 'it could not renew its lease in time and waits until it can.';
  };
  const isWorking = () => whyNotWorking() === null;
  let startSettled = Promise.withResolvers<void>();
  stopping.signal.addEventListener('abort', () => startSettled.resolve());
  const parked = new Set<string>();
  const inbox = createInbox({
    topic: VOLUME_TOPIC,
    owner: serviceHost,
    store,
    log,
    stopping: stopping.signal,
    startSettled: () => startSettled.promise,
    whyNotReady: () => {
      const why = whyNotWorking();
      return why === null ? null : failure('DriverNotInitialized', { backend: serviceHost, reason: why });
    },
    onParked: (id) => void (transport.reach === 'network' && parked.add(id)),
    complete: (rows, request) => completeForVolume(rows, serviceHost, request),
    volumeOf,
    perform: (id, onClaimed, read) => manager.perform(id, { onClaimed, ...(read === undefined ? {} : { read }) }),
    forward: (operation, context) => rpc.wake(operation, context),
    direct: directMethods({
      ...{ store, backend, locks },
      capabilities: (isFresh) => (isFresh || !isWorking() ? capabilities.measure() : capabilities.latest()),
      publish: () => report.trigger(),
      sweep: () => sweep.trigger(),
    }),
  });
  const heartbeat = await startHeartbeat({
    store,
    host: serviceHost,
    binary: VOLUME_TOPIC,
    availabilityZone: options.availabilityZone,
    intervalMs: options.reportIntervalMs,
    enableNewServices: options.enableNewServices,
    isWorking,
    log,
  });
  const forgetStatus = contributeVolumeStatus(serviceHost, locks, options.concurrency);
  const inquiries = await answerInquiries({
    transport,
    binary: VOLUME_TOPIC,
    host: serviceHost,
    status: () => ({
      backend: isWorking() ? 'up' : 'down',
      reason: whyNotWorking(),
      since: since.toISOString(),
      attempts: outage?.attempts ?? 0,
      next_attempt_at: outage?.nextAttemptAt.toISOString() ?? null,
      cut_off: manager.cutOff(),
    }),
  });
  const sweep = startPeriodicTask({
    name: 'operation sweep',
    intervalMs: SWEEP_INTERVAL_MS,
    settleMs: SWEEP_SETTLE_MS,
    work: async () => {
      if (isWorking()) await sweepOperations(recovery, LOST_AFTER_MS);
    },
    log,
  });
  const maintenance = startMaintenance({
    driver: options.driver,
    isUp: isWorking,
    onFreed: () => report.trigger(),
    signal: stopping.signal,
    log,
  });
  const first = Promise.withResolvers<BackendState>();
  let settling: Promise<void> = Promise.resolve();
  let listeners: readonly RpcListener[] = [];
  const closeListeners = async (timeoutMs: number) => {
    await Promise.all(listeners.map((listener) => listener.close({ timeoutMs })));
  };
  const bringUp = startBringUp({
    leases: store.leases,
    leaseName: `${VOLUME_TOPIC} ${serviceHost}`,
    leaseTtlMs: options.serviceDownTimeMs ?? SERVICE_DOWN_TIME_MS,
    fence,
    listen: async () => {
      listeners = await Promise.all(volumeAddresses(serviceHost).map((address) => transport.listen(address, inbox)));
    },
    handBack: () => closeListeners(0),
    start: async () => {
      await options.driver.setUp();
      await options.target.setUp();
      await recover({ ...recovery, backendName: options.backendName });
    },
    takeUp: () => recoverOperations(recovery),
    onState: (next, failed) => {
      if (next.kind !== state.kind) since = new Date();
      state = next;
      outage = failed ?? null;
      if (next.kind === 'up' || outage !== null) startSettled.resolve();
      else startSettled = Promise.withResolvers();
      report.trigger();
      // Whoever hears that it is up finds it up in the database.
      void heartbeat.beat().then(() => {
        first.resolve(next);
        options.onState?.(next);
      });
    },
    maxPauseMs: options.maxRetryPauseMs,
    signal: stopping.signal,
    log,
  });

  return {
    name: `${VOLUME_TOPIC} ${serviceHost}`,
    firstState: first.promise,
    restoreExports: async () => {
      if (!isWorking()) return;
      const { settled } = await restoreExports(recovery);
      settling = Promise.all([settling, settled]).then(() => {});
    },
    async stop({ timeoutMs }) {
      stopping.abort();
      manager.stop();
      const drained = Promise.all([
        bringUp.ended,
        sweep.stop(),
        maintenance.stop(),
        closeListeners(timeoutMs),
        settling,
      ]);
      await withTimeout(drained, timeoutMs, () => new Error('timeout')).catch(() => undefined);
      const inFlight = manager.inFlight();
      if (inFlight > 0) {
        log.warn({ in_flight: inFlight }, 'stopped with operations under way; the next start takes them up');
      }
      // Within the same time, and before the next process may have the name.
      await withTimeout(sendOn(parked, { store, rpc }), timeoutMs, () => new Error('timeout')).catch(() => undefined);
      await bringUp.end({ idle: inFlight === 0 });
      forgetStatus();
      await Promise.all([heartbeat.stop(), report.stop(), inquiries.stop()]);
    },
  };
}

/**
 * What was taken from the queue and never begun goes back there, for a service that does not read our records: a Cinder's
 * that takes the place of one whose backend did not start. The record stays; the message names it.
 */
async function sendOn(
  ids: ReadonlySet<string>,
  { store, rpc }: { readonly store: Store; readonly rpc: ReturnType<typeof createOperationRpc> },
): Promise<void> {
  for (const id of ids) {
    const operation = await store.operations.get(id);
    if (operation?.state === 'queued' && operation.attempt === 0) await rpc.wake(operation, contextOf(operation));
  }
}

function startReports(options: VolumeServiceOptions, capabilities: Capabilities, state: () => BackendState) {
  return startPeriodicTask({
    name: 'capability report',
    get intervalMs() {
      return options.statsIntervalMs;
    },
    settleMs: REPORT_SETTLE_MS,
    log: options.log,
    async work() {
      // Of before the measurement: what ends after it is not in it.
      const measuredAt = new Date();
      const current = state();
      const wire = current.kind === 'up' ? await capabilities.measure() : downReport(options, current.reason);
      const context = serviceContext();
      await reportCapabilities(options.transport, context, {
        host: options.serviceHost,
        capabilities: wire,
        measuredAt,
      });
    },
  });
}

interface Capabilities {
  measure(): Promise<Record<string, unknown>>;
  /** The last report's, while no other is due: every change of capacity is told in one of its own. */
  latest(): Promise<Record<string, unknown>>;
}

function keepCapabilities(options: VolumeServiceOptions): Capabilities {
  let kept: { readonly wire: Record<string, unknown>; readonly atMs: number } | null = null;
  const measureNow = async () => {
    const atMs = performance.now();
    const measured = await options.driver.stats();
    const allocated = await options.store.volumes.allocated(options.serviceHost);
    const stats = backendStats(measured, { ...options, storageProtocol: options.target.storageProtocol, allocated });
    measure({ what: 'pools', pools: stats.pools.map((pool) => poolMeasurement(options.serviceHost, pool)) });
    const wire = statsToWire(stats);
    if (kept === null || kept.atMs <= atMs) kept = { wire, atMs };
    return wire;
  };
  return {
    measure: measureNow,
    latest: async () =>
      kept !== null && performance.now() - kept.atMs < options.statsIntervalMs ? kept.wire : await measureNow(),
  };
}

function downReport(options: VolumeServiceOptions, reason: string): Record<string, unknown> {
  return {
    volume_backend_name: options.volumeBackendName,
    vendor_name: 'Ashlar',
    driver_version: '',
    storage_protocol: options.target.storageProtocol,
    backend_state: 'down',
    down_reason: reason,
    pools: [],
  };
}

/** The context of what the service does by itself. */
function serviceContext(): RequestContext {
  return { requestId: `req-${randomUUID()}`, userId: null, projectId: null, isAdmin: true, roles: ['admin'] };
}
