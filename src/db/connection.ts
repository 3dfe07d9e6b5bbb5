import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import knexFactory, { type Knex } from 'knex';
import pg from 'pg';
import { contributeStatus } from '../lib/status.ts';
import type { Logger } from '../log/logger.ts';
import { failure, isFailure, messageOf } from '../model/errors.ts';
import { type DatabaseAddress, describeAddress, parseDatabaseUrl } from './database-url.ts';
import { isRefusal, mapDatabaseError } from './errors.ts';
import { parseUtc } from './time.ts';

/** An open pool of connections. Made by `openDatabase`; nothing is sent before the first query. */
export interface Database {
  readonly knex: Knex;
  /** Where it is, for people; without user and password. */
  readonly address: string;
  close(): Promise<void>;
}

export interface ConnectionSettings {
  /** `[database] connection`, or its parts (of the embedded server). */
  readonly connection: string | (Partial<DatabaseAddress> & Pick<DatabaseAddress, 'host' | 'database'>);
  readonly maxPoolSize?: number;
  readonly poolTimeoutSeconds?: number;
  /** After this the server gives a statement up. */
  readonly statementTimeoutMs?: number;
}

const OLDEST_SERVER = 15;
const CONNECT_TIMEOUT_MS = 10_000;
/** What a silent connection gets beyond the server's own limit before it counts as dead. */
const SILENCE_MARGIN_MS = 15_000;
/** Waiting for the database: the first tries come quickly, and it is said again this often. */
const FIRST_WAIT_MS = 250;
const SAY_AGAIN_MS = 30_000;

/** Opens a pool. Throws InvalidConfigurationValue for a URL that cannot be read. */
export function openDatabase(settings: ConnectionSettings): Database {
  const address = addressOf(settings.connection);
  const statementTimeoutMs = settings.statementTimeoutMs ?? 60_000;
  const knex = knexFactory({
    client: 'pg',
    // Without this, knex writes the values, and so secrets, into error messages.
    compileSqlOnError: false,
    log: knexLog,
    connection: driverSettings(address) as Knex.PgConnectionConfig,
    acquireConnectionTimeout: (settings.poolTimeoutSeconds ?? 30) * 1000,
    pool: {
      min: 0,
      max: settings.maxPoolSize ?? 5,
      idleTimeoutMillis: 30_000,
      afterCreate: (client: pg.Client, done: (error: Error | null, client: pg.Client) => void) => {
        destroyWhenSilent(client, statementTimeoutMs + SILENCE_MARGIN_MS);
        client.query(
          `set statement_timeout = ${statementTimeoutMs}; set idle_in_transaction_session_timeout = '60s'; set timezone = 'UTC'`,
          (error) => done(error, client),
        );
      },
    },
  });
  const name = describeAddress(address);
  const forget = contributeStatus({ section: 'connections', name: `database ${name}`, read: () => readState(knex) });
  return {
    knex,
    address: name,
    close() {
      forget();
      return knex.destroy();
    },
  };
}

/** For the state report: does it answer, how fast, and how many connections are in use. */
async function readState(knex: Knex): Promise<object> {
  const { pool } = knex.client as {
    pool: Record<'numUsed' | 'numFree' | 'numPendingAcquires', () => number> & { max: number };
  };
  const counts = { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires(), most: pool.max };
  const startedAtMs = performance.now();
  try {
    await knex.raw('select 1');
    return { state: 'up', answers_in_ms: Math.round((performance.now() - startedAtMs) * 10) / 10, pool: counts };
  } catch (error) {
    return { state: 'away', reason: messageOf(error), pool: counts };
  }
}

/**
 * Returns when the database answers. One that is down is waited for, and that is said at once and then every half
 * minute; after `maxRetries` tries (-1: never) it is ConnectionFailed. One that refuses us fails at once.
 */
export async function waitForDatabase(options: {
  readonly database: Database;
  readonly log: Logger;
  readonly maxRetries: number;
  readonly retryIntervalSeconds: number;
  readonly signal?: AbortSignal;
}): Promise<void> {
  const { database, log, maxRetries, signal } = options;
  let saidAt = Number.NEGATIVE_INFINITY;
  for (let tries = 0; ; tries += 1) {
    try {
      await checkServer(database);
      if (tries > 0) log.info({ database: database.address }, 'The database answers.');
      return;
    } catch (error) {
      if (!isFailure(error, 'ConnectionFailed') || isRefusal(error) || (maxRetries >= 0 && tries >= maxRetries)) {
        throw error;
      }
      if (performance.now() - saidAt >= SAY_AGAIN_MS) {
        saidAt = performance.now();
        log.warn({ database: database.address }, `Waiting for the database: ${messageOf(error)}`);
      }
    }
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** tries, options.retryIntervalSeconds * 1000);
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

async function checkServer({ knex, address }: Database): Promise<void> {
  let version: number;
  try {
    const result = await knex.raw("select current_setting('server_version_num')::int as version");
    version = Math.floor(result.rows[0].version / 10_000);
  } catch (error) {
    throw mapDatabaseError(error, address);
  }
  if (version < OLDEST_SERVER) {
    const reason = `Database ${address} is PostgreSQL ${version}; ${OLDEST_SERVER} or later is needed.`;
    throw failure('ServiceUnavailable', { reason });
  }
}

function addressOf(connection: ConnectionSettings['connection']): DatabaseAddress {
  if (typeof connection === 'string') return parseDatabaseUrl(connection);
  return { port: 5432, user: null, password: null, tls: 'off', tlsRootCertificate: null, ...connection };
}

/** Every value is set, so that no PG… variable of the environment slips in. */
function driverSettings(address: DatabaseAddress): pg.ClientConfig {
  const ca = address.tlsRootCertificate === null ? {} : { ca: readFileSync(address.tlsRootCertificate, 'utf8') };
  return {
    host: address.host,
    port: address.port,
    user: address.user ?? userInfo().username,
    password: address.password ?? '',
    database: address.database,
    ssl: address.tls === 'off' ? false : { rejectUnauthorized: address.tls === 'verify', ...ca },
    application_name: 'ashlar',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  } as pg.ClientConfig;
}

/** knex would write to the console; all that it says there, the failing query says too. */
const knexLog = { debug() {}, warn() {}, error() {}, deprecate() {} };

const TIMESTAMP_OID = 1114;
const BIGINT_OID = 20;
const NUMERIC_OID = 1700;

/** Timestamps without a zone are UTC (pg takes them as local time); counts and sums are numbers. */
function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === TIMESTAMP_OID) return parseUtc;
  if (oid === BIGINT_OID || oid === NUMERIC_OID) return Number;
  return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown;
}

/**
 * A server whose host vanished never answers, and the kernel would wait a quarter of an hour for it. A connection that is
 * silent during a query for longer than the server's own limit is given up; knex then takes it out of the pool.
 */
function destroyWhenSilent(client: pg.Client, silenceMs: number): void {
  const { connection } = client as unknown as { connection: { stream: import('node:net').Socket } };
  const { stream } = connection;
  stream.setTimeout(silenceMs, () => {
    const isIdle = (client as unknown as { readyForQuery: boolean }).readyForQuery;
    if (!isIdle) stream.destroy(new Error('Connection terminated: no answer from the database'));
  });
}
