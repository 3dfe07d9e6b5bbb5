/** What the tests of the scheduler share. */

import type { Service } from '../../../src/model/service.ts';
import { type CapabilityReport, readCapabilityReport } from '../../../src/scheduler/capability-report.ts';
import type { Candidate, PlacementRequest } from '../../../src/scheduler/filters/filter.ts';
import { createHostStates } from '../../../src/scheduler/host-state.ts';
import type { SchedulerOptions } from '../../../src/scheduler/options.ts';
import type { PoolState, Reservation } from '../../../src/scheduler/pool-state.ts';

export const defaultOptions: SchedulerOptions = {
  scheduler_default_filters: ['AvailabilityZoneFilter', 'CapacityFilter', 'CapabilitiesFilter'],
  scheduler_default_weighers: ['CapacityWeigher'],
  scheduler_max_attempts: 3,
  scheduler_driver_init_wait_time: 60,
  service_down_time: 60,
  capacity_weight_multiplier: 1,
  allocated_capacity_weight_multiplier: -1,
  volume_number_multiplier: -1,
};

/** The arguments of update_service_capabilities for one pool, `pool0` of `node@lvm`, with 100 GiB, all of it free, thick. */
export function wireReport(pool: Record<string, unknown> = {}, report: Record<string, unknown> = {}) {
  return {
    service_name: 'volume',
    host: 'node@lvm',
    cluster_name: null,
    timestamp: '2026-11-20T18:29:37.797086',
    capabilities: {
      volume_backend_name: 'lvm',
      vendor_name: 'Ashlar',
      driver_version: '1.0.0',
      storage_protocol: 'iSCSI',
      pools: [
        {
          pool_name: 'pool0',
          total_capacity_gb: 100,
          free_capacity_gb: 100,
          allocated_capacity_gb: 0,
          provisioned_capacity_gb: 0,
          reserved_percentage: 0,
          max_over_subscription_ratio: '20.0',
          thin_provisioning_support: false,
          thick_provisioning_support: true,
          total_volumes: 0,
          multiattach: true,
          backend_state: 'up',
          ...pool,
        },
      ],
    },
    ...report,
  };
}

export function readReport(args: unknown): CapabilityReport {
  const report = readCapabilityReport(args);
  if (report === null) throw new Error('not a report');
  return report;
}

/** The state of the only pool of a report, with promises of the given sizes. */
export function poolState(
  pool: Record<string, unknown> = {},
  reservedGb: readonly number[] = [],
  host = 'node@lvm',
): PoolState {
  const states = createHostStates({ now: () => 0 });
  states.receive(readReport(wireReport(pool, { host })));
  for (const [index, gb] of reservedGb.entries()) states.reserve(reservation(`op-${index}`, gb, `${host}#pool0`));
  return states.pools()[0]!;
}

export function reservation(operationId: string, gb: number, pool = 'node@lvm#pool0'): Reservation {
  return { operationId, pool, gb, volumes: 1, placedAtMs: Number.MAX_SAFE_INTEGER };
}

export function service(changes: Partial<Service> = {}): Service {
  return {
    id: 1,
    uuid: '00000000-0000-4000-8000-000000000001',
    host: 'node@lvm',
    binary: 'cinder-volume',
    topic: 'cinder-volume',
    reportCount: 1,
    availabilityZone: 'nova',
    disabled: false,
    disabledReason: null,
    frozen: false,
    clusterName: null,
    activeBackendId: null,
    replicationStatus: null,
    rpcCurrentVersion: '3.18',
    objectCurrentVersion: '1.39',
    createdAt: new Date(0),
    updatedAt: new Date(0),
    heartbeatAgeSeconds: 3,
    ...changes,
  };
}

export function request(changes: Partial<PlacementRequest> = {}): PlacementRequest {
  return {
    purpose: 'create',
    sizeGb: 10,
    extraSpecs: {},
    availabilityZone: null,
    pinnedHost: null,
    excludedHosts: [],
    failures: {},
    serviceDownTimeSeconds: 60,
    ...changes,
  };
}

export function candidate(pool: PoolState = poolState(), changes: Partial<Service> = {}): Candidate {
  return { pool, service: service({ host: pool.serviceHost, ...changes }) };
}
