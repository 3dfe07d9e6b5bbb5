/** What the scheduler knows of every pool: the last report of each backend, and the room promised since. In memory. */
import { poolName, serviceHost } from '../model/backend.ts';
import type { CapabilityReport } from './capability-report.ts';
import { describeDown } from './filters/backend-state.ts';
import type { PoolState, Reservation } from './pool-state.ts';

export interface HostStates {
  /** Takes a report in place of the last one. `older` where a newer one is known: it is ignored. */
  receive(report: CapabilityReport): 'taken' | 'older';
  /** True once the `host@backend` has reported. */
  hasReported(serviceHost: string): boolean;
  /** Why there is no pool of the `host@backend`: goes on from its name. */
  whyWithoutPools(serviceHost: string): string;
  /** True once anything was reported. */
  readonly ready: boolean;
  pools(): readonly PoolState[];
  /** The pool that a volume's host names; for `host@backend` its only pool. Null if it is not known. */
  find(host: string): PoolState | null;
  /** Promises room to an operation; it holds one promise at a time. */
  reserve(reservation: Reservation): void;
  release(operationId: string): void;
  /** The promises on a `host@backend`. */
  reservations(serviceHost: string): readonly Reservation[];
}

/** A backend whose clock was set back is believed again after this time without an acceptable report. */
const OLD_REPORT_PATIENCE_MS = 120_000;

interface Backend {
  readonly report: CapabilityReport;
  readonly reportedAtMs: number;
  readonly receivedAtMs: number;
}

export function createHostStates(clock: { now(): number }): HostStates {
  const backends = new Map<string, Backend>();
  const reservations = new Map<string, Reservation>();

  const poolsOf = ({ report, reportedAtMs }: Backend): PoolState[] =>
    report.pools.map((pool) => {
      const name = `${report.serviceHost}#${pool.stats.name}`;
      return {
        ...pool,
        name,
        serviceHost: report.serviceHost,
        reportedAtMs,
        reservations: [...reservations.values()].filter((reservation) => reservation.pool === name),
      };
    });

  return {
    receive(report) {
      const receivedAtMs = clock.now();
      const reportedAtMs = report.reportedAtMs ?? receivedAtMs;
      const known = backends.get(report.serviceHost);
      const isOlder = known !== undefined && reportedAtMs < known.reportedAtMs;
      if (isOlder && receivedAtMs - known.receivedAtMs < OLD_REPORT_PATIENCE_MS) return 'older';
      backends.set(report.serviceHost, { report, reportedAtMs, receivedAtMs });
      return 'taken';
    },
    hasReported: (host) => backends.has(host),
    whyWithoutPools(host) {
      const downReason = backends.get(host)?.report.downReason;
      if (downReason === undefined) return 'has not reported yet';
      return downReason === null ? 'reports no such pool' : describeDown(downReason);
    },
    get ready() {
      return backends.size > 0;
    },
    pools: () => [...backends.values()].flatMap(poolsOf),
    find(host) {
      const backend = backends.get(serviceHost(host));
      if (backend === undefined) return null;
      const pools = poolsOf(backend);
      if (poolName(host) === null) return pools.length === 1 ? pools[0]! : null;
      return pools.find((pool) => pool.name === host) ?? null;
    },
    reserve: (reservation) => void reservations.set(reservation.operationId, reservation),
    release: (operationId) => void reservations.delete(operationId),
    reservations: (host) => [...reservations.values()].filter((reservation) => serviceHost(reservation.pool) === host),
  };
}
