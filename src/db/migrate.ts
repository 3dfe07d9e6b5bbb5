/**
 * Brings a database to the schema of this version: `ashlar db sync`. Empty databases get everything, databases that
 * Cinder made only the `ashlar_` tables, all others are refused.
 */
import { failure } from '../model/errors.ts';
import type { Database } from './connection.ts';
import { LATEST_VERSION, migrations } from './migrations/index.ts';
import { cinderTables, KNOWN_ALEMBIC_VERSIONS } from './schema/index.ts';
import { lockKey, openSession, type Session } from './session.ts';
import { SQL_NOW } from './time.ts';

export interface SyncResult {
  /** Version found, null for none. */
  readonly from: number | null;
  readonly to: number;
  /** Names of the steps that were done. */
  readonly steps: readonly string[];
}

const LOCK_TIMEOUT = '60s';
const STEP_TIMEOUT = '10min';

/**
 * Creates or upgrades step by step, each step in a transaction, one caller at a time. Doing it again changes nothing.
 * Throws ServiceUnavailable, with a sentence that says what to do, for what it does not know.
 */
export async function dbSync(database: Database): Promise<SyncResult> {
  const session = openSession(database);
  const steps: string[] = [];
  const found = await readVersion(session);
  refuseNewer(found, database.address);
  for (const migration of migrations) {
    await session.atomic(async (tx) => {
      await lockSchema(tx);
      const current = await readVersion(tx);
      refuseNewer(current, database.address);
      if (current !== null && current >= migration.version) return;
      const kind = current === null ? await recognise(tx, database.address) : 'ours';
      const sql = (statement: string, bindings = {}) => tx.rows(statement, bindings);
      if (current === null) await createBookkeeping(tx);
      await migration.up(sql, { isEmpty: kind === 'empty' });
      await tx.rows(`insert into ashlar_migrations (version, name, applied_at) values (:version, :name, ${SQL_NOW})`, {
        version: migration.version,
        name: migration.name,
      });
      steps.push(migration.name);
    });
  }
  return { from: found, to: LATEST_VERSION, steps };
}

/** For services at start. Throws ServiceUnavailable with what to do where the schema is not this version's. */
export async function checkSchema(database: Database): Promise<void> {
  const version = await readVersion(openSession(database));
  refuseNewer(version, database.address);
  if (version === LATEST_VERSION) return;
  const state = version === null ? 'has no tables of ashlar' : `is at version ${version}, ${LATEST_VERSION} is needed`;
  throw failure('ServiceUnavailable', { reason: `Database ${database.address} ${state}. Run \`ashlar db sync\`.` });
}

/** The version that the bookkeeping table tells, null without that table. */
async function readVersion(session: Session): Promise<number | null> {
  const [there] = await session.rows<{ there: boolean }>(
    `select exists (select from information_schema.tables
       where table_schema = current_schema() and table_name = 'ashlar_migrations') as there`,
  );
  if (there?.there !== true) return null;
  const [row] = await session.rows<{ version: number | null }>('select max(version) as version from ashlar_migrations');
  return row?.version ?? 0;
}

function refuseNewer(version: number | null, address: string): void {
  if (version === null || version <= LATEST_VERSION) return;
  const reason = `Database ${address} is at version ${version}, made by a newer ashlar; this one knows ${LATEST_VERSION}. Install that version, or restore the database of this one.`;
  throw failure('ServiceUnavailable', { reason });
}

async function lockSchema(tx: Session): Promise<void> {
  await tx.rows(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
  await tx.rows(`set local statement_timeout = '${STEP_TIMEOUT}'`);
  await lockKey(tx, 'schema');
}

async function createBookkeeping(tx: Session): Promise<void> {
  await tx.rows(
    'create table ashlar_migrations (version integer primary key, name varchar(255) not null, applied_at timestamp not null)',
  );
}

/** Tells an empty database from one of Cinder's; refuses the rest. */
async function recognise(tx: Session, address: string): Promise<'empty' | 'cinder'> {
  const columns = await readColumns(tx);
  if (columns.size === 0) return 'empty';
  const strangers = [...columns.keys()].filter((table) => !(table in cinderTables));
  if (!columns.has('alembic_version') || !columns.has('volumes')) {
    const some = (strangers.length > 0 ? strangers : [...columns.keys()]).slice(0, 5).join(', ');
    const reason = `Database ${address} holds tables (${some}) that are neither Cinder's nor ashlar's. Name an empty database as connection in [database].`;
    throw failure('ServiceUnavailable', { reason });
  }
  const [row] = await tx.rows<{ version_num: string }>('select version_num from alembic_version');
  const version = row?.version_num ?? 'none';
  if (!KNOWN_ALEMBIC_VERSIONS.includes(version)) {
    const reason = `Database ${address} was made by a Cinder whose schema (alembic version ${version}) is not known. Known are those from Zed on; run that release's \`cinder-manage db sync\` first, or name another database.`;
    throw failure('ServiceUnavailable', { reason });
  }
  const missing = Object.entries(cinderTables).flatMap(([table, { columns: wanted }]) =>
    Object.keys(wanted)
      .filter((column) => !columns.get(table)?.has(column))
      .map((column) => `${table}.${column}`),
  );
  if (missing.length > 0) {
    const reason = `Database ${address} says it is Cinder's, but lacks ${missing.slice(0, 5).join(', ')}. Finish its \`cinder-manage db sync\` first, or name another database.`;
    throw failure('ServiceUnavailable', { reason });
  }
  return 'cinder';
}

async function readColumns(tx: Session): Promise<Map<string, Set<string>>> {
  const rows = await tx.rows<{ table_name: string; column_name: string }>(
    `select table_name, column_name from information_schema.columns where table_schema = current_schema()`,
  );
  const tables = new Map<string, Set<string>>();
  for (const { table_name, column_name } of rows) {
    const columns = tables.get(table_name) ?? new Set();
    tables.set(table_name, columns.add(column_name));
  }
  return tables;
}
