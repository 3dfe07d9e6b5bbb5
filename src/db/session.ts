import { setTimeout as sleep } from 'node:timers/promises';
import type { Knex } from 'knex';
import { failpoint } from '../lib/failpoint.ts';
import { failure } from '../model/errors.ts';
import type { Database } from './connection.ts';
import { codeOf, isRetryable, mapDatabaseError } from './errors.ts';
import type { Row } from './rows.ts';

type Bindings = Readonly<Record<string, unknown>>;

/** How the stores talk to the database: inside a transaction or, each statement for itself, outside. */
export interface Session {
  readonly knex: Knex;
  readonly inTransaction: boolean;
  /** Runs a query that changes nothing (or nothing that matters to a crash). */
  read<T>(query: PromiseLike<T>): Promise<T>;
  /** Runs a statement that changes rows; outside of a transaction it is its own, with its fail points. */
  write<T>(query: PromiseLike<T>): Promise<T>;
  /** A raw query's rows. */
  rows<T extends object = Row>(sql: string, bindings?: Bindings): Promise<T[]>;
  /**
   * A statement that runs often, with $1… in place of values: outside of a transaction each connection parses and plans it
   * once. `oftenRead` changes nothing, and has no fail points.
   */
  often(sql: string, values: readonly unknown[]): Promise<Row[]>;
  oftenRead(sql: string, values: readonly unknown[]): Promise<Row[]>;
  /** Several statements as one: in the transaction there is, or one of its own. */
  atomic<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

const MAX_ATTEMPTS = 8;
const BACK_OFF_MS = 10;

/** A session in which each statement stands for itself. */
export function openSession(database: Database): Session {
  const { knex, address } = database;
  const run = async <T>(query: PromiseLike<T>): Promise<T> => {
    try {
      return await query;
    } catch (error) {
      throw mapDatabaseError(error, address);
    }
  };
  return {
    knex,
    inTransaction: false,
    read: run,
    async write(query) {
      failpoint('db.commit.before');
      const result = await run(query);
      failpoint('db.commit.after');
      return result;
    },
    rows: async (sql, bindings = {}) => (await run(knex.raw(sql, bindings as Knex.ValueDict))).rows,
    async often(sql, values) {
      failpoint('db.commit.before');
      const { rows } = await run(byName(knex, sql, values));
      failpoint('db.commit.after');
      return rows;
    },
    oftenRead: async (sql, values) => (await run(byName(knex, sql, values))).rows,
    atomic: (work) => transact(database, work),
  };
}

/** Statement -> the name under which connections know it. There are as many as the sources have. */
const names = new Map<string, string>();
/** A table was altered since; a pooler between us and the server does not know the name, or knows it already. */
const NOT_BY_NAME = ['0A000', '26000', '42P05'];

/** Past knex's builders and events, which cost as much as the statement; the connection is one of its pool all the same. */
async function byName({ client: pool }: Knex, sql: string, values: readonly unknown[]): Promise<Answer> {
  const name = names.get(sql) ?? `ashlar_${names.size + 1}`;
  names.set(sql, name);
  const connection: Connection = await pool.acquireConnection();
  try {
    return await connection.query({ name, text: sql, values });
  } catch (error) {
    if (!NOT_BY_NAME.includes(codeOf(error))) throw error;
    return await connection.query({ text: sql, values });
  } finally {
    pool.releaseConnection(connection);
  }
}

interface Connection {
  query(statement: {
    readonly name?: string;
    readonly text: string;
    readonly values: readonly unknown[];
  }): Promise<Answer>;
}

interface Answer {
  readonly rows: Row[];
}

/** Tries the whole transaction again after a serialization failure or a deadlock, a bounded number of times. */
async function transact<T>(database: Database, work: (session: Session) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transactOnce(database, work);
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      if (attempt >= MAX_ATTEMPTS || !isRetryable(cause)) throw error;
      await sleep(Math.random() * BACK_OFF_MS * 2 ** attempt);
    }
  }
}

async function transactOnce<T>(database: Database, work: (session: Session) => Promise<T>): Promise<T> {
  const { address } = database;
  const transaction = await begin(database);
  // After a failed statement the server answers COMMIT with a silent ROLLBACK, so a callback that swallowed the error
  // must not believe that it committed.
  let failed: unknown;
  const run = async <R>(query: PromiseLike<R>): Promise<R> => {
    try {
      return await query;
    } catch (error) {
      failed ??= error;
      throw mapDatabaseError(error, address);
    }
  };
  const inside = async (sql: string, values: readonly unknown[]) =>
    (await run<Answer>(transaction.raw(sql).options({ values }))).rows;
  const session: Session = {
    knex: transaction as Knex,
    inTransaction: true,
    read: run,
    write: run,
    rows: async (sql, bindings = {}) => (await run(transaction.raw(sql, bindings as Knex.ValueDict))).rows,
    often: inside,
    oftenRead: inside,
    atomic: (inner) => inner(session),
  };
  try {
    const result = await work(session);
    if (failed !== undefined) throw mapDatabaseError(failed, address);
    failpoint('db.commit.before');
    await commit(transaction, address);
    failpoint('db.commit.after');
    return result;
  } catch (error) {
    if (!transaction.isCompleted()) await transaction.rollback().then(undefined, () => undefined);
    throw error;
  }
}

/** knex answers a COMMIT that failed as if it had succeeded; only the transaction's own promise tells the truth. */
async function commit(transaction: Knex.Transaction, address: string): Promise<void> {
  try {
    await transaction.commit();
    await transaction.executionPromise;
  } catch (error) {
    throw mapDatabaseError(error, address);
  }
}

async function begin({ knex, address }: Database): Promise<Knex.Transaction> {
  try {
    return await knex.transaction();
  } catch (error) {
    throw mapDatabaseError(error, address);
  }
}

/** Holds others who name the same key back until the transaction ends. */
export async function lockKey(session: Session, key: string): Promise<void> {
  if (!session.inTransaction) {
    throw failure('Internal', { reason: `The lock ${key} would be lost at once: it belongs inside a transaction.` });
  }
  await session.rows('select pg_advisory_xact_lock(hashtextextended(:key, 0))', { key: `ashlar:${key}` });
}
