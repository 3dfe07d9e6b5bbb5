/** From a configuration to running volume services. Scheduler and API have files of their own: a process loads its own parts alone. */
import type { Config } from '../config/config.ts';
import type { Store } from '../db/store.ts';
import type { VolumeDriver } from '../driver/driver.ts';
import type { Executor } from '../driver/executor.ts';
import type { Target } from '../driver/target.ts';
import type { Logger } from '../log/logger.ts';
import { failure } from '../model/errors.ts';
import type { Transport } from '../rpc/transport.ts';
import { serviceOptions } from '../service/options.ts';
import { backendOptions, volumeServiceOptions } from '../volume/options.ts';
import { type BackendState, startVolumeService, type VolumeService } from '../volume/service.ts';
import { parseOverSubscription } from '../volume/stats.ts';
import { findVolumeDriver, volumeDrivers } from './drivers.ts';
import { findTarget, targets } from './targets.ts';

/** What every service of a process shares. */
export interface Shared {
  readonly config: Config;
  readonly store: Store;
  readonly transport: Transport;
  readonly log: Logger;
  /** The node's name, `host` of the configuration. */
  readonly host: string;
}

/** A backend whose driver and options are known; nothing has been touched yet. */
export interface ConfiguredBackend {
  readonly name: string;
  readonly usesTgt: boolean;
  readonly usesFakeTarget: boolean;
  open(parts: {
    readonly executor: Executor;
    readonly log: Logger;
    /** What was found out at start wins over the configuration: where a target daemon of our own is. */
    readonly overrides: TargetOverrides;
  }): { readonly driver: VolumeDriver; readonly target: Target };
}

export type TargetOverrides = Readonly<Record<string, string | number>>;

/** Declares the options of each enabled backend, so that config.finish() names every fault of theirs. */
export function configureBackends(config: Config): ConfiguredBackend[] {
  const { enabled_backends } = config.section('DEFAULT', volumeServiceOptions);
  return enabled_backends.map((name) => configureBackend(config, name));
}

/** The same for one of them. */
export function configureBackend(config: Config, name: string): ConfiguredBackend {
  const options = config.backendSection(name, backendOptions);
  const driver = findVolumeDriver(options.volume_driver);
  if (driver === undefined) throw unknownName(name, 'volume_driver', options.volume_driver, volumeDrivers);
  const target = findTarget(options.target_helper);
  if (target === undefined) throw unknownName(name, 'target_helper', options.target_helper, targets);
  if (parseOverSubscription(options.max_over_subscription_ratio) === null) {
    throw failure('InvalidConfigurationValue', {
      option: 'max_over_subscription_ratio',
      group: name,
      reason: `'${options.max_over_subscription_ratio}' is neither a number of 1.0 or more nor auto`,
    });
  }
  const driverValues = config.backendSection(name, driver.options);
  const targetValues = config.backendSection(name, target.options);
  return {
    name,
    usesTgt: target.name === 'tgt',
    usesFakeTarget: target.name === 'fake',
    open: ({ executor, log, overrides }) => ({
      driver: driver.open({ backend: name, options: driverValues, executor, log }),
      target: target.open({ backend: name, options: { ...targetValues, ...overrides }, executor, log }),
    }),
  };
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
  return startVolumeService({
    store,
    transport,
    ...backend.open({ executor, log, overrides }),
    serviceHost,
    backendName: backend.name,
    volumeBackendName: options.volume_backend_name ?? backend.name,
    availabilityZone: options.backend_availability_zone ?? service.storage_availability_zone,
    reservedPercentage: options.reserved_percentage,
    maxOverSubscriptionRatio: parseOverSubscription(options.max_over_subscription_ratio) ?? 1,
    volumeNameTemplate: volume.volume_name_template,
    snapshotNameTemplate: volume.snapshot_name_template,
    reportIntervalMs: service.report_interval * 1000,
    statsIntervalMs: volume.backend_stats_polling_interval * 1000,
    enableNewServices: service.enable_new_services,
    concurrency: volume.executor_thread_pool_size,
    maxAttempts: volume.operation_max_attempts,
    maxRetryPauseMs: volume.reinit_driver_max_interval * 1000,
    onState,
    log,
  });
}

function unknownName(group: string, option: string, value: string, known: readonly { readonly name: string }[]): Error {
  const names = known.map(({ name }) => name).join(', ');
  return failure('InvalidConfigurationValue', { option, group, reason: `there is no '${value}'; there are ${names}` });
}
