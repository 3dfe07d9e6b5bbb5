/** What every worker opens before its service starts: configuration, log, database, transport. */
import type { Config } from '../../config/config.ts';
import { openDatabase, waitForDatabase } from '../../db/connection.ts';
import { checkSchema } from '../../db/migrate.ts';
import { databaseOptions } from '../../db/options.ts';
import { createStore } from '../../db/postgres-store.ts';
import type { Store } from '../../db/store.ts';
import type { RootLogger } from '../../log/create-logger.ts';
import { messageOf } from '../../model/errors.ts';
import { serviceOptions } from '../../service/options.ts';
import { collectStateReport } from '../../service/report.ts';
import { renderStateReport } from '../../service/report-text.ts';
import { type HostedService, LastingFailure } from '../../service/worker-host.ts';
import { endOnUnexpectedError } from '../node/crash.ts';
import { createTeardown, type Teardown } from '../node/teardown.ts';
import { openObservability } from '../observability.ts';
import { openConfiguredTransport } from '../transport.ts';
import { openRoleConfig, openWorkerConfig, type WorkerSettings } from './configuration.ts';
import { applyMutable, openLog } from './role-log.ts';

export interface OpenWorker {
  readonly config: Config;
  readonly store: Store;
  readonly log: RootLogger;
  readonly host: string;
  readonly teardown: Teardown;
  openTransport(): ReturnType<typeof openConfiguredTransport>;
  /** What is the same of every service in a worker. */
  hosted(service: Pick<HostedService, 'name' | 'stop'>): HostedService;
}

export async function openWorker(settings: WorkerSettings): Promise<OpenWorker> {
  const config = openRoleConfig(settings.role, settings.sources);
  try {
    config.finish();
  } catch (error) {
    throw new LastingFailure(messageOf(error));
  }
  const log = await openLog(config);
  const teardown = createTeardown();
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  endOnUnexpectedError({ log, say, exit: process.exit });
  const role = settings.role === settings.name ? settings.role : `${settings.role} ${settings.name}`;
  await openObservability({ config, log, role, teardown });
  const store = await openStore(config, log, teardown);
  const { host, graceful_shutdown_timeout } = config.section('DEFAULT', serviceOptions);
  return {
    config,
    store,
    log,
    host,
    teardown,
    async openTransport() {
      const transport = await openConfiguredTransport(config, log);
      teardown.defer('transport', () => transport.close());
      return transport;
    },
    hosted: (service) => ({
      name: service.name,
      log,
      drainMs: graceful_shutdown_timeout * 1000,
      configure: (next) => applyMutable(log, config, openWorkerConfig(next as unknown as WorkerSettings).config),
      report: () => void writeReport(say),
      async stop(options) {
        await service.stop(options);
        await teardown.run((line) => log.error({}, line));
        log.info({ service: service.name }, 'stopped');
      },
    }),
  };
}

async function openStore(config: Config, log: RootLogger, teardown: Teardown): Promise<Store> {
  const options = config.section('database', databaseOptions);
  if (options.connection === null) throw new LastingFailure('connection of [database] is not set');
  const database = openDatabase({
    connection: options.connection,
    maxPoolSize: options.max_pool_size,
    poolTimeoutSeconds: options.pool_timeout,
  });
  await waitForDatabase({
    database,
    log,
    maxRetries: options.max_retries,
    retryIntervalSeconds: options.retry_interval,
  });
  await checkSchema(database);
  const store = createStore(database);
  teardown.defer('database connections', () => store.close());
  return store;
}

async function writeReport(say: (line: string) => void): Promise<void> {
  say(renderStateReport(await collectStateReport()));
}
