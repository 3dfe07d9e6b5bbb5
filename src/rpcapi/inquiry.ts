/**
 * What Ashlar's services tell each other of themselves: state reports, and what they are doing about a resource. It has
 * a topic of its own, so services of other makers never see it. Answers are JSON in the words of the REST API.
 */
import type { RequestContext } from '../model/context.ts';

export const INQUIRY_TOPIC = 'ashlar-inquiry';
export const INQUIRY_VERSION = '1.0';

/** Under which a service is asked: `cinder-volume.node@lvm`. */
export function inquiryServer(binary: string, host: string): string {
  return `${binary}.${host}`;
}

/** One operation in flight. Ages in seconds. */
export interface FlightReport {
  readonly operation: string;
  readonly service: string;
  readonly method: string;
  readonly resource_id: string | null;
  readonly request_id: string | null;
  readonly age: number;
  readonly step: string;
  readonly step_age: number;
  readonly locks: readonly string[];
  readonly waits_for: {
    readonly lock: string;
    readonly waited: number;
    readonly holder: {
      readonly operation: string | null;
      readonly method: string | null;
      readonly request_id: string | null;
      readonly step: string | null;
      readonly held: number;
    } | null;
  } | null;
  readonly last_command: {
    readonly command: string;
    readonly state: 'waiting' | 'running' | 'ended';
    /** For how long it has been in that state; null while it waits. */
    readonly age: number | null;
    readonly deadline: number;
    readonly exit_code: number | null;
    readonly stopped: string | null;
  } | null;
}

/** Delays beyond the loop's own resolution, in milliseconds, over the last minute or so. */
export interface EventLoopReport {
  readonly mean_delay_ms: number;
  readonly p99_delay_ms: number;
  readonly max_delay_ms: number;
  /** The last time that nothing ran for a second or more. */
  readonly last_stall: { readonly seconds: number; readonly ended_ago: number } | null;
}

/** How a service says it is; `backend` and what follows it only of a volume service. */
export interface ServiceStatus {
  readonly binary: string;
  readonly host: string;
  readonly backend?: 'up' | 'down';
  readonly reason?: string | null;
  readonly since?: string;
  readonly attempts?: number;
  /** When a backend that is down is tried again. */
  readonly next_attempt_at?: string | null;
  /** Operations that were cut off, because the database was away. */
  readonly cut_off?: readonly string[];
}

export interface ServiceAnswer {
  readonly pid: number;
  readonly status: ServiceStatus;
  readonly event_loop: EventLoopReport;
  /** Brokers that its process cannot reach, and why. */
  readonly brokers_away: readonly string[];
  /** Those in flight about the resources that were asked for. */
  readonly operations: readonly FlightReport[];
}

export interface InquiryRpc {
  /** What a service does about resources at this moment. Throws RpcTimeout where it does not answer. */
  activity(
    context: RequestContext,
    server: string,
    resourceIds: readonly string[],
    options: { readonly timeoutMs: number },
  ): Promise<ServiceAnswer>;
  /** The state report of the process in which the service runs. */
  stateReport(
    context: RequestContext,
    server: string,
    options: { readonly timeoutMs: number },
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Sets the process's log level (null: changes nothing); answers the one that is in force then. */
  logLevel(
    context: RequestContext,
    server: string,
    level: string | null,
    options: { readonly timeoutMs: number },
  ): Promise<string>;
}
