import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cmd/local/postgres.ts';
import { type ConnectionSettings, type Database, openDatabase } from '../../src/db/connection.ts';
import { parseDatabaseUrl } from '../../src/db/database-url.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import type { Logger } from '../../src/log/logger.ts';

/** A real PostgreSQL for the tests of one file. Databases are made by copying a migrated template (some 30 ms each). */
export interface TestPostgres {
  /** Settings of a new database that holds nothing. */
  emptyDatabase(): Promise<TestConnection>;
  /** Settings of a new database with this version's schema. */
  migratedDatabase(): Promise<TestConnection>;
  /** A store on a new database. Whoever takes it closes it. */
  freshStore(): Promise<Store>;
  /** The embedded server, null where TEST_DATABASE_URL names another. */
  readonly server: EmbeddedPostgres | null;
  readonly stateDir: string | null;
  stop(): Promise<void>;
}

type TestConnection = Exclude<ConnectionSettings['connection'], string>;

export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

/**
 * Starts an embedded server in a temporary directory, or uses the one that TEST_DATABASE_URL names (its user must be
 * allowed to create databases). `stop` removes all that it made.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const external = process.env.TEST_DATABASE_URL;
  if (external !== undefined && external !== '') return onServer(parseDatabaseUrl(external), null, null);
  // In memory where that is possible: the server's fsyncs cost nothing there.
  const stateDir = await mkdtemp('/dev/shm/ashlar-pg-').catch(() => mkdtemp(join(tmpdir(), 'ashlar-pg-')));
  try {
    const server = await startEmbeddedPostgres({ stateDir, log: silentLog });
    return onServer(server.connection, server, stateDir);
  } catch (error) {
    await rm(stateDir, { recursive: true, force: true });
    throw error;
  }
}

function onServer(connection: TestConnection, server: EmbeddedPostgres | null, stateDir: string | null): TestPostgres {
  const admin: Database = openDatabase({ connection, maxPoolSize: 1 });
  const made: string[] = [];
  let template: Promise<string> | undefined;

  async function create(templateName: string): Promise<TestConnection> {
    const name = `ashlar_test_${randomBytes(6).toString('hex')}`;
    await admin.knex.raw('create database ?? template ??', [name, templateName]);
    made.push(name);
    return { ...connection, database: name };
  }

  async function makeTemplate(): Promise<string> {
    const empty = await create('template0');
    const database = openDatabase({ connection: empty });
    await dbSync(database);
    await database.close();
    return empty.database;
  }

  async function migratedDatabase(): Promise<TestConnection> {
    template ??= makeTemplate();
    return create(await template);
  }

  return {
    server,
    stateDir,
    emptyDatabase: () => create('template0'),
    migratedDatabase,
    freshStore: async () => createStore(openDatabase({ connection: await migratedDatabase() })),
    async stop() {
      if (server === null) {
        for (const name of made) await admin.knex.raw('drop database if exists ?? with (force)', [name]);
      }
      await admin.close();
      await server?.stop();
      if (stateDir !== null) await rm(stateDir, { recursive: true, force: true });
    },
  };
}
