/** The configuration of the roles that run as processes of their own: shared by a parent and its workers. */
import { hostname } from 'node:os';
import { apiOptions } from '../../api/options.ts';
import type { Config } from '../../config/config.ts';
import { type ConfigSource, openConfigSources } from '../../config/sources.ts';
import { databaseOptions } from '../../db/options.ts';
import { execOptions } from '../../exec/options.ts';
import { messageOf } from '../../model/errors.ts';
import { schedulerOptions } from '../../scheduler/options.ts';
import { metricsOptions } from '../../service/metrics-options.ts';
import { serviceOptions } from '../../service/options.ts';
import { volumeServiceOptions } from '../../volume/options.ts';
import { configureBackend } from '../backends.ts';
import { processOptions } from '../node/options.ts';
import { optionGroups } from '../options.ts';
import { declareTransport } from '../transport-options.ts';

export type RoleName = 'volume' | 'scheduler' | 'api';

/** What a worker is started with, over the pipe. */
export interface WorkerSettings {
  readonly role: RoleName;
  /** The backend; for others the worker's name. */
  readonly name: string;
  readonly sources: readonly ConfigSource[];
}

/** Everything that the role needs is declared; `finish` has yet to be called. */
export function openRoleConfig(role: RoleName, sources: readonly ConfigSource[]): Config {
  const config = openConfigSources(sources, { defaults: { DEFAULT: { host: hostname() } }, known: optionGroups });
  for (const options of [serviceOptions, processOptions, volumeServiceOptions, metricsOptions])
    config.section('DEFAULT', options);
  config.section('database', databaseOptions);
  declareTransport(config);
  if (role === 'api') config.section('DEFAULT', apiOptions);
  if (role === 'scheduler') config.section('DEFAULT', schedulerOptions);
  if (role === 'volume') config.section('DEFAULT', execOptions);
  return config;
}

/** What one worker reads, and why it cannot be used; null where it can. */
export function openWorkerConfig(settings: WorkerSettings): { readonly config: Config; readonly fault: string | null } {
  const config = openRoleConfig(settings.role, settings.sources);
  try {
    if (settings.role === 'volume') configureBackend(config, settings.name);
    config.finish();
    return { config, fault: null };
  } catch (error) {
    return { config, fault: messageOf(error) };
  }
}

export interface CheckedConfig {
  readonly config: Config;
  /** The workers that there should be, whether they can start or not. */
  readonly workers: readonly WorkerSettings[];
  /** Faults of single backends, by name. */
  readonly faults: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/**
 * Reads all of it. Throws what makes the role as a whole impossible: a ConfigError, or an Error that says what to set.
 * @param processors how many API workers there are where the configuration names no number
 */
export function checkRoleConfig(role: RoleName, sources: readonly ConfigSource[], processors: number): CheckedConfig {
  const config = openRoleConfig(role, sources);
  config.finish();
  refuseSingleProcess(config, role);
  const workers = workerNames(role, config, processors).map((name) => ({ role, name, sources }));
  const faults = new Map<string, string>();
  for (const worker of workers) {
    const { fault } = openWorkerConfig(worker);
    if (fault !== null) faults.set(worker.name, fault);
  }
  return { config, workers, faults, warnings: warningsOf(role, sources) };
}

function refuseSingleProcess(config: Config, role: RoleName): void {
  const { transport_url } = config.section('DEFAULT', serviceOptions);
  const { connection } = config.section('database', databaseOptions);
  if (/^memory:/.test(transport_url.trim())) {
    throw new Error(
      `transport_url is memory:, which reaches no other process, and 'ashlar ${role}' is several. Set it to ` +
        "rabbit://user:password@host:5672/ under [DEFAULT], or run everything in one process by 'ashlar node'.",
    );
  }
  if (connection === null) {
    throw new Error(
      `connection is not set, and 'ashlar ${role}' has no database of its own. Set it to ` +
        "postgresql://user:password@host/database under [database], or run everything in one process by 'ashlar node'.",
    );
  }
}

function workerNames(role: RoleName, config: Config, processors: number): readonly string[] {
  if (role === 'scheduler') return ['scheduler'];
  if (role === 'api') {
    const count = config.section('DEFAULT', apiOptions).osapi_volume_workers ?? processors;
    return Array.from({ length: count }, (_, index) => `api ${index + 1}`);
  }
  const { enabled_backends } = config.section('DEFAULT', volumeServiceOptions);
  if (enabled_backends.length > 0) return [...new Set(enabled_backends)];
  throw new Error("enabled_backends is empty, so there is no volume service to start. Name a backend's group there.");
}

/** With everything declared, so that a group of a backend is not taken for an unknown one. */
function warningsOf(role: RoleName, sources: readonly ConfigSource[]): readonly string[] {
  try {
    const config = openRoleConfig(role, sources);
    const { enabled_backends } = config.section('DEFAULT', volumeServiceOptions);
    for (const name of enabled_backends) configureBackend(config, name);
    return config.finish();
  } catch {
    return [];
  }
}
