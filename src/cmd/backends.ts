/** What the configuration says of backends: drivers and targets by name, their options declared. Starts nothing. */
import type { Config } from '../config/config.ts';
import type { VolumeDriver } from '../driver/driver.ts';
import type { Executor } from '../driver/executor.ts';
import type { Target } from '../driver/target.ts';
import type { Logger } from '../log/logger.ts';
import { failure } from '../model/errors.ts';
import { backendOptions, volumeServiceOptions } from '../volume/options.ts';
import { parseOverSubscription } from '../volume/stats.ts';
import { findVolumeDriver, volumeDrivers } from './drivers.ts';
import { findTarget, targets } from './targets.ts';

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

function unknownName(group: string, option: string, value: string, known: readonly { readonly name: string }[]): Error {
  const names = known.map(({ name }) => name).join(', ');
  return failure('InvalidConfigurationValue', { option, group, reason: `there is no '${value}'; there are ${names}` });
}
