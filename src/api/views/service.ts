/** Rows of the services table as clients read them. Pure. */
import { isServiceUp, type Service } from '../../model/service.ts';
import type { Microversion } from '../route.ts';
import { timestamp } from './timestamp.ts';

export const VOLUME_BINARY = 'cinder-volume';

/**
 * `backendStates` says up or down per `host@backend`, as the scheduler knows it. From 3.7 on with the cluster, from 3.49
 * on with the backend's state.
 */
export function serviceView(
  service: Service,
  options: {
    readonly version: Microversion;
    readonly serviceDownTimeSeconds: number;
    readonly backendStates: ReadonlyMap<string, string>;
  },
) {
  const isVolume = service.binary === VOLUME_BINARY;
  return {
    binary: service.binary,
    host: service.host,
    zone: service.availabilityZone,
    status: service.disabled ? 'disabled' : 'enabled',
    state: isServiceUp(service, options.serviceDownTimeSeconds) ? 'up' : 'down',
    updated_at: timestamp(service.updatedAt),
    ...(options.version >= 49 && isVolume ? { backend_state: options.backendStates.get(service.host) ?? null } : {}),
    ...(options.version >= 7 ? { cluster: service.clusterName } : {}),
    disabled_reason: service.disabledReason,
    ...(isVolume
      ? {
          replication_status: service.replicationStatus ?? 'disabled',
          active_backend_id: service.activeBackendId,
          frozen: service.frozen,
        }
      : {}),
  };
}

/** A service as os-hosts shows it. */
export function hostView(service: Service, serviceDownTimeSeconds: number) {
  return {
    host_name: service.host,
    service: service.topic,
    zone: service.availabilityZone,
    'service-status': isServiceUp(service, serviceDownTimeSeconds) ? 'available' : 'unavailable',
    'service-state': service.disabled ? 'disabled' : 'enabled',
    'last-update': timestamp(service.updatedAt),
  };
}

/** One line of what a host holds, in all or of one project. Numbers are text there. */
export function hostResourceView(
  host: string,
  project: string,
  held: {
    readonly volumes: number;
    readonly volumeGb: number;
    readonly snapshots: number;
    readonly snapshotGb: number;
  },
) {
  return {
    resource: {
      host,
      project,
      volume_count: String(held.volumes),
      total_volume_gb: String(held.volumeGb),
      snapshot_count: String(held.snapshots),
      total_snapshot_gb: String(held.snapshotGb),
    },
  };
}
