/**
 * The state report: everything that this process can say of itself at this moment, as JSON and as text. It is made of
 * what the parts contribute (src/lib/status.ts), of the flights, and of what `describeProcess` was told at the start.
 */
import { randomUUID } from 'node:crypto';
import { flights } from '../lib/flight.ts';
import { type StatusSection, type StatusSource, statusSources } from '../lib/status.ts';
import { withTimeout } from '../lib/timers.ts';
import type { LogLevel, RootLogger } from '../log/create-logger.ts';
import { type RecentProblem, recentProblems } from '../log/recent.ts';
import { redactText } from '../log/redact.ts';
import { messageOf } from '../model/errors.ts';
import type { EventLoopReport, FlightReport } from '../rpcapi/inquiry.ts';
import { type EventLoopMonitor, monitorEventLoop } from './event-loop.ts';
import { reportFlight } from './flight-report.ts';

export interface ProcessDescription {
  readonly version: string;
  /** `node`, `volume node@lvm`, `api`, …. */
  readonly role: string;
  /** Every option with its value, secrets masked: `config.describe()`. */
  config(): readonly {
    readonly group: string;
    readonly option: string;
    readonly value: unknown;
    readonly from: string;
  }[];
  readonly log: Pick<RootLogger, 'level' | 'setLevel' | 'failedWrites'>;
}

export interface StateReport {
  readonly made_at: string;
  readonly version: string;
  readonly role: string;
  readonly pid: number;
  /** Of this life of the process. */
  readonly instance: string;
  readonly node_version: string;
  readonly uptime: number;
  readonly log_level: string;
  readonly log_writes_failed: number;
  readonly memory: Readonly<Record<string, number>>;
  readonly event_loop: EventLoopReport;
  readonly connections: Readonly<Record<string, unknown>>;
  readonly services: Readonly<Record<string, unknown>>;
  readonly queues: Readonly<Record<string, unknown>>;
  readonly locks: Readonly<Record<string, unknown>>;
  readonly operations: readonly FlightReport[];
  readonly recent_problems: readonly RecentProblem[];
  readonly config: Readonly<Record<string, { readonly value: unknown; readonly from: string }>>;
}

/** What one part may take to say how it is. */
const READ_LIMIT_MS = 2000;

let instance = '';
let described: ProcessDescription | null = null;
let loop: EventLoopMonitor | null = null;

/** Called once by the composition root; what it returns forgets it again. */
export function describeProcess(description: ProcessDescription): () => void {
  described = description;
  loop ??= monitorEventLoop();
  return () => {
    described = null;
    loop?.stop();
    loop = null;
  };
}

/** Never rejects, and takes no longer than a few seconds: what cannot be read stands there with its reason. */
export async function collectStateReport(): Promise<StateReport> {
  const [connections, services, queues, locks] = await Promise.all(
    (['connections', 'services', 'queues', 'locks'] as const).map(readSection),
  );
  instance ||= randomUUID();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const nowMs = Date.now();
  return {
    made_at: new Date(nowMs).toISOString(),
    version: described?.version ?? 'unknown',
    role: described?.role ?? 'unknown',
    pid: process.pid,
    instance,
    node_version: process.version,
    uptime: Math.round(process.uptime() * 10) / 10,
    log_level: described?.log.level ?? 'unknown',
    log_writes_failed: described?.log.failedWrites() ?? 0,
    memory: { rss_bytes: rss, heap_used_bytes: heapUsed, heap_total_bytes: heapTotal, external_bytes: external },
    event_loop: readEventLoop(),
    connections: connections!,
    services: services!,
    queues: queues!,
    locks: locks!,
    operations: flights().map((flight) => reportFlight(flight, nowMs)),
    recent_problems: recentProblems(),
    config: Object.fromEntries(
      (described?.config() ?? []).map(({ group, option, value, from }) => [
        `${group}.${option}`,
        { value: typeof value === 'string' ? redactText(value) : value, from },
      ]),
    ),
  };
}

export function readEventLoop(): EventLoopReport {
  return loop?.read() ?? { mean_delay_ms: 0, p99_delay_ms: 0, max_delay_ms: 0, last_stall: null };
}

/** Sets the process's log level where one is named; answers the one in force. */
export function changeLogLevel(level: LogLevel | null): LogLevel {
  if (described === null) return 'info';
  if (level !== null) described.log.setLevel(level);
  return described.log.level;
}

async function readSection(section: StatusSection): Promise<Record<string, unknown>> {
  const read = async ({ name, read: readIt }: StatusSource): Promise<[string, unknown]> => {
    try {
      const answer = Promise.resolve(readIt());
      return [name, await withTimeout(answer, READ_LIMIT_MS, () => new Error(`no answer within ${READ_LIMIT_MS} ms`))];
    } catch (error) {
      return [name, { error: redactText(messageOf(error)) }];
    }
  };
  return Object.fromEntries(await Promise.all(statusSources(section).map(read)));
}
