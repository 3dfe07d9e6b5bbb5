/** The node's database: the one that the configuration names, else an embedded PostgreSQL in the state directory. */
import type { Config } from '../../config/config.ts';
import { type Database, openDatabase, waitForDatabase } from '../../db/connection.ts';
import { checkSchema, dbSync } from '../../db/migrate.ts';
import { type DatabaseOptions, databaseOptions } from '../../db/options.ts';
import { createStore } from '../../db/postgres-store.ts';
import type { Store } from '../../db/store.ts';
import type { Logger } from '../../log/logger.ts';
import { startEmbeddedPostgres } from '../local/postgres.ts';
import { supervise } from './supervise.ts';
import type { Teardown } from './teardown.ts';

interface Parts {
  readonly config: Config;
  readonly stateDir: string;
  readonly log: Logger;
  say(line: string): void;
  readonly teardown: Teardown;
}

/** Opens the store. An embedded database is brought up to date; one that others may share is only checked. */
export async function openNodeStore(parts: Parts): Promise<Store> {
  const options = parts.config.section('database', databaseOptions);
  if (options.connection === null) return await openEmbedded(parts, options);
  const database = openDatabase({ connection: options.connection, ...poolOf(options) });
  parts.say(`Database: ${database.address}.`);
  await waitForDatabase({
    database,
    log: speaking(parts),
    maxRetries: options.max_retries,
    retryIntervalSeconds: options.retry_interval,
  });
  await checkSchema(database);
  return open(parts, database);
}

async function openEmbedded(parts: Parts, options: DatabaseOptions): Promise<Store> {
  const { log, stateDir, teardown, say } = parts;
  const start = () => startEmbeddedPostgres({ stateDir, log });
  const first = await start();
  const server = supervise({ name: 'PostgreSQL', first, start, log });
  teardown.defer('PostgreSQL', () => server.stop());
  say(`Database: PostgreSQL of its own, in ${stateDir}/postgres.`);
  const database = openDatabase({ connection: first.connection, ...poolOf(options) });
  await dbSync(database);
  return open(parts, database);
}

function open({ teardown }: Parts, database: Database): Store {
  const store = createStore(database);
  teardown.defer('database connections', () => store.close());
  return store;
}

function poolOf(options: DatabaseOptions) {
  return { maxPoolSize: options.max_pool_size, poolTimeoutSeconds: options.pool_timeout };
}

/** A database that is down holds the start up, so the person at the terminal hears of it as well. */
function speaking({ log, say }: Parts): Logger {
  return {
    ...log,
    warn(fields, message) {
      log.warn(fields, message);
      say(message);
    },
  };
}
