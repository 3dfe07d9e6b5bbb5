/** One row of the services table: a binary on a host (`node@backend` for a volume service). */
export interface Service {
  readonly id: number;
  readonly uuid: string;
  readonly host: string;
  /** `cinder-volume`, `cinder-scheduler`: the names that peers look for. */
  readonly binary: string;
  readonly topic: string;
  readonly reportCount: number;
  readonly availabilityZone: string;
  readonly disabled: boolean;
  readonly disabledReason: string | null;
  readonly frozen: boolean;
  readonly clusterName: string | null;
  readonly activeBackendId: string | null;
  readonly replicationStatus: string | null;
  readonly rpcCurrentVersion: string | null;
  readonly objectCurrentVersion: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
  /** Seconds since the last heartbeat by the database's clock. */
  readonly heartbeatAgeSeconds: number;
}

/** True while the last heartbeat is younger than service_down_time. */
export function isServiceUp(service: Service, serviceDownTimeSeconds: number): boolean {
  return service.heartbeatAgeSeconds <= serviceDownTimeSeconds;
}
