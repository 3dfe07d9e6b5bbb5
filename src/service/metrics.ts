/**
 * The metrics: what the parts measure (src/lib/measure.ts), as Prometheus reads it. prom-client is loaded by who makes
 * metrics, so a process without them does not pay for it.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { flights } from '../lib/flight.ts';
import { type Measurement, onMeasurement, type PoolMeasurement } from '../lib/measure.ts';
import { statusSources } from '../lib/status.ts';
import type { reportLock } from './flight-report.ts';
import { readEventLoop } from './report.ts';

export interface Metrics {
  readonly contentType: string;
  /** The text of a scrape. */
  render(): Promise<string>;
  /** Every family, for the README's table and its test. */
  families(): readonly MetricFamily[];
  /** Listens no longer. */
  stop(): void;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** What prom-client knows of a metric and its types do not say. */
interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

const GIB = 2 ** 30;
/** From a quick look-up to a copy of hours. */
const WORK_SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
/** Requests and messages. */
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

const labelled = {
  operations: ['service', 'method', 'outcome'],
  waits: ['method'],
  locks: ['kind'],
  commands: ['program', 'outcome', 'exit_code'],
  rpc: ['side', 'method', 'outcome'],
  rest: ['method', 'route', 'code'],
  pools: ['pool'],
  service: ['service'],
  quantile: ['quantile'],
  outcome: ['outcome'],
} as const;

/** Listens from now on; what was measured before is not in it. */
export function createMetrics(options: { readonly version: string; readonly role: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const histogram = (name: string, help: string, labelNames: readonly string[], buckets: readonly number[]) =>
    new Histogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers });
  const gauge = (name: string, help: string, labelNames: readonly string[], collect?: (self: Gauge) => void) =>
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      ...(collect === undefined
        ? {}
        : {
            collect(this: Gauge) {
              collect(this);
            },
          }),
    });

  const listeners = {
    ...listenToWork(histogram),
    ...listenToStates(gauge, registers),
  };
  contributeGauges(gauge, options);
  const stop = onMeasurement((measurement) => {
    const listener = listeners[measurement.what] as (of: Measurement) => void;
    listener(measurement);
  });
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    families: () =>
      (registry.getMetricsAsArray() as unknown as RegisteredMetric[])
        .map(({ name, help, type, labelNames }) => ({ name, help, type, labels: labelNames }))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    stop,
  };
}

type MakeHistogram = (name: string, help: string, labels: readonly string[], buckets: readonly number[]) => Histogram;
type MakeGauge = (name: string, help: string, labels: readonly string[], collect?: (self: Gauge) => void) => Gauge;
type Of<W extends Measurement['what']> = Extract<Measurement, { what: W }>;

/** What takes time: each a histogram, whose count is the number of times. */
function listenToWork(histogram: MakeHistogram) {
  const operations = histogram(
    'ashlar_operation_duration_seconds',
    'Attempts at operations, from their claim to their end; outcome is done or the code of the failure.',
    labelled.operations,
    WORK_SECONDS,
  );
  const waits = histogram(
    'ashlar_operation_wait_seconds',
    'From the wake-up of an operation to its beginning: locks, and a place among those that work.',
    labelled.waits,
    WORK_SECONDS,
  );
  const locks = histogram(
    'ashlar_lock_wait_seconds',
    'Waits for a lock that was held; kind is the first word of its name.',
    labelled.locks,
    WORK_SECONDS,
  );
  const commands = histogram(
    'ashlar_command_duration_seconds',
    'External commands; outcome is exit, or why it was stopped; exit_code is empty then.',
    labelled.commands,
    WORK_SECONDS,
  );
  const rpc = histogram(
    'ashlar_rpc_duration_seconds',
    'Messages: handled here, or sent (call until the answer, cast and fanout until they are handed over).',
    labelled.rpc,
    REQUEST_SECONDS,
  );
  const rest = histogram(
    'ashlar_rest_request_duration_seconds',
    'Requests to the REST API, by the route as it is declared.',
    labelled.rest,
    REQUEST_SECONDS,
  );
  return {
    operation: ({ service, method, outcome, durationMs }: Of<'operation'>) =>
      operations.observe({ service, method, outcome }, durationMs / 1000),
    'operation wait': ({ method, waitedMs }: Of<'operation wait'>) => waits.observe({ method }, waitedMs / 1000),
    'lock wait': ({ kind, waitedMs }: Of<'lock wait'>) => locks.observe({ kind }, waitedMs / 1000),
    command: ({ program, outcome, exitCode, durationMs }: Of<'command'>) =>
      commands.observe({ program, outcome, exit_code: exitCode === null ? '' : String(exitCode) }, durationMs / 1000),
    rpc: ({ side, method, outcome, durationMs }: Of<'rpc'>) =>
      rpc.observe({ side, method, outcome }, durationMs / 1000),
    rest: ({ method, route, status, durationMs }: Of<'rest'>) =>
      rest.observe({ method, route, code: String(status) }, durationMs / 1000),
  };
}

/** What is measured now and then, and shown as it was last. */
function listenToStates(gauge: MakeGauge, registers: Registry[]) {
  const beats = new Map<string, number>();
  gauge('ashlar_heartbeat_age_seconds', 'Since the last heartbeat that was written.', labelled.service, (self) => {
    for (const [service, atMs] of beats) self.set({ service }, (performance.now() - atMs) / 1000);
  });
  const written = new Counter({
    name: 'ashlar_heartbeats_total',
    help: 'Heartbeats that were written.',
    labelNames: [...labelled.service],
    registers,
  });
  const notifications = new Counter({
    name: 'ashlar_notifications_total',
    help: 'Notifications; outcome is sent, failed, or dropped where too many waited for the broker.',
    labelNames: [...labelled.outcome],
    registers,
  });
  const bytes = (name: string, help: string, of: (pool: PoolMeasurement) => number | null) => {
    const made = gauge(name, help, labelled.pools);
    return (pool: PoolMeasurement) => {
      const gib = of(pool);
      if (gib === null) made.remove({ pool: pool.name });
      else made.set({ pool: pool.name }, gib * GIB);
    };
  };
  const pools = [
    bytes('ashlar_pool_total_bytes', 'Capacity of a pool; missing where it is infinite.', ({ totalGb }) => totalGb),
    bytes('ashlar_pool_free_bytes', 'What is free in it, as its backend measures.', ({ freeGb }) => freeGb),
    bytes('ashlar_pool_allocated_bytes', 'Sum of its volumes in the database.', ({ allocatedGb }) => allocatedGb),
    bytes('ashlar_pool_provisioned_bytes', 'Sum of the sizes on it.', ({ provisionedGb }) => provisionedGb),
  ];
  const drift = gauge(
    'ashlar_drift_exports',
    'Exports that were not as the record says at the last comparison, and could not be put right.',
    labelled.service,
  );
  return {
    heartbeat({ service }: Of<'heartbeat'>) {
      beats.set(service, performance.now());
      written.inc({ service });
    },
    notification: ({ outcome }: Of<'notification'>) => notifications.inc({ outcome }),
    pools({ pools: measured }: Of<'pools'>) {
      for (const pool of measured) for (const set of pools) set(pool);
    },
    drift: ({ service, exports }: Of<'drift'>) => drift.set({ service }, exports),
  };
}

/** What is looked up at the moment of a scrape. */
function contributeGauges(
  gauge: MakeGauge,
  { version, role }: { readonly version: string; readonly role: string },
): void {
  gauge('ashlar_build_info', 'Always 1; the labels say what runs.', ['version', 'role'], (self) => {
    self.set({ version, role }, 1);
  });
  gauge('ashlar_operations_in_flight', 'Operations under way or waiting in this process.', labelled.service, (self) => {
    self.reset();
    for (const { service } of flights()) self.inc({ service });
  });
  const lockGauge = (name: string, help: string, count: (locks: readonly Lock[]) => number) =>
    gauge(name, help, labelled.service, (self) => {
      self.reset();
      for (const { name: service, read } of statusSources('locks')) self.set({ service }, count(read() as Lock[]));
    });
  lockGauge('ashlar_locks_held', 'Locks that are held.', (locks) => locks.length);
  lockGauge('ashlar_lock_waiters', 'Operations that wait for a lock.', (locks) =>
    locks.reduce((sum, { waiters }) => sum + waiters.length, 0),
  );
  gauge(
    'ashlar_event_loop_delay_seconds',
    'Delay of the event loop over the last minute or so.',
    labelled.quantile,
    (self) => {
      const { mean_delay_ms: mean, p99_delay_ms: p99, max_delay_ms: max } = readEventLoop();
      self.set({ quantile: '0.99' }, p99 / 1000);
      self.set({ quantile: '1' }, max / 1000);
      self.set({ quantile: 'mean' }, mean / 1000);
    },
  );
  gauge('ashlar_resident_memory_bytes', 'Memory of this process.', [], (self) => {
    self.set(process.memoryUsage.rss());
  });
  gauge('ashlar_uptime_seconds', 'Since the start of this process.', [], (self) => {
    self.set(process.uptime());
  });
}

type Lock = ReturnType<typeof reportLock>;
