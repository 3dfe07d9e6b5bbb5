/** From a configuration to running volume services. Scheduler and API have files of their own: a process loads its own parts alone. */
import type { Config } from '../config/config.ts';
import { createFence } from '../coordination/lease.ts';
import type { Store } from '../db/store.ts';
import type { Executor } from '../driver/executor.ts';
import { createFencedExecutor } from '../exec/fenced-executor.ts';
import type { Logger } from '../log/logger.ts';
import type { Transport } from '../rpc/transport.ts';
import { serviceOptions } from '../service/options.ts';
import type { BackendState } from '../volume/bring-up.ts';
import { backendOptions, volumeServiceOptions } from '../volume/options.ts';
import { startVolumeService, type VolumeService } from '../volume/service.ts';
import { parseOverSubscription } from '../volume/stats.ts';
import type { ConfiguredBackend, TargetOverrides } from './backends.ts';

/** What every service of a process shares. */
export interface Shared {
  readonly config: Config;
  readonly store: Store;
  readonly transport: Transport;
  readonly log: Logger;
  /** The node's name, `host` of the configuration. */
  readonly host: string;
}

export function startBackend(
  shared: Shared,
  backend: ConfiguredBackend,
  executor: Executor,
  overrides: TargetOverrides = {},
  onState: (state: BackendState) => void = () => {},
): Promise<VolumeService> {
  const { config, store, transport } = shared;
  const service = config.section('DEFAULT', serviceOptions);
  const volume = config.section('DEFAULT', volumeServiceOptions);
  const options = config.backendSection(backend.name, backendOptions);
  const serviceHost = `${shared.host}@${backend.name}`;
  const log = shared.log.child({ backend: serviceHost });
  const fence = createFence(serviceHost);
  return startVolumeService({
    store,
    transport,
    ...backend.open({ executor: createFencedExecutor(executor, fence.check), log, overrides }),
    fence,
    serviceDownTimeMs: service.service_down_time * 1000,
    serviceHost,
    backendName: backend.name,
    volumeBackendName: options.volume_backend_name ?? backend.name,
    availabilityZone: options.backend_availability_zone ?? service.storage_availability_zone,
    // Mutable: read at each report.
    get reservedPercentage() {
      return options.reserved_percentage;
    },
    get maxOverSubscriptionRatio() {
      return parseOverSubscription(options.max_over_subscription_ratio) ?? 1;
    },
    get statsIntervalMs() {
      return volume.backend_stats_polling_interval * 1000;
    },
    volumeNameTemplate: volume.volume_name_template,
    snapshotNameTemplate: volume.snapshot_name_template,
    reportIntervalMs: service.report_interval * 1000,
    enableNewServices: service.enable_new_services,
    concurrency: volume.executor_thread_pool_size,
    maxAttempts: volume.operation_max_attempts,
    maxRetryPauseMs: volume.reinit_driver_max_interval * 1000,
    onState,
    log,
  });
}
