import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { type Database, openDatabase } from '../../../src/db/connection.ts';
import { checkSchema, dbSync } from '../../../src/db/migrate.ts';
import { LATEST_VERSION } from '../../../src/db/migrations/index.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { startTestPostgres } from '../../support/postgres.ts';

const postgres = await startTestPostgres();
const opened: Database[] = [];
after(async () => {
  for (const database of opened) await database.close();
  await postgres.stop();
});

describe('db sync', { timeout: 60_000 }, () => {
  test('columns, keys and indexes of a fresh database are Cinder’s', async () => {
    const database = await empty();
    await dbSync(database);
    assert.deepEqual(await columnsOf(database), await fixture('schema.csv'));
    const indexes = (await fixture('schema_indexes.csv')).map(({ indexname, indexdef }) => ({ indexname, indexdef }));
    assert.deepEqual(await indexesOf(database), indexes);
    assert.deepEqual((await database.knex.raw('select version_num from alembic_version')).rows, [
      { version_num: 'c92a3e68beed' },
    ]);
  });

  test('again, and by several at once, it changes nothing', async () => {
    const database = await empty();
    const [one, two] = await Promise.all([dbSync(database), dbSync(database)]);
    assert.equal(one.steps.length + two.steps.length, LATEST_VERSION);
    const before = await dump(database);
    assert.deepEqual(await dbSync(database), { from: LATEST_VERSION, to: LATEST_VERSION, steps: [] });
    assert.deepEqual(await dump(database), before);
    await checkSchema(database);
  });

  test('the first rows are those that a Cinder expects', async () => {
    const database = await empty();
    await dbSync(database);
    const rows = async (sql: string) => (await database.knex.raw(sql)).rows;
    assert.deepEqual(await rows('select name, is_public, deleted from volume_types'), [
      { name: '__DEFAULT__', is_public: true, deleted: false },
    ]);
    assert.equal((await rows("select 1 as one from workers where resource_type = 'SENTINEL'")).length, 1);
    assert.deepEqual(await rows('select class_name from quota_classes'), [], 'limits are the options’ matter');
  });

  test('on a database that Cinder made, only tables of our own are added', async () => {
    const database = await likeCinder();
    const before = await columnsOf(database);
    const result = await dbSync(database);
    assert.equal(result.from, null);
    assert.deepEqual(await columnsOf(database), before);
    assert.equal((await database.knex.raw('select count(*) as count from volume_types')).rows[0].count, 1);
    const names = (await database.knex.raw("select tablename from pg_tables where tablename like 'ashlar%' order by 1"))
      .rows;
    assert.deepEqual(names, [
      { tablename: 'ashlar_leases' },
      { tablename: 'ashlar_migrations' },
      { tablename: 'ashlar_operations' },
      { tablename: 'ashlar_services' },
    ]);
    assert.deepEqual(await createStore(database).volumes.list({ projectId: null }), []);
  });

  test('a service is told what to do where the schema is not there, behind or ahead', async () => {
    const database = await empty();
    await refuses(checkSchema(database), /no tables of ashlar.*ashlar db sync/s);
    await dbSync(database);
    await database.knex.raw('delete from ashlar_migrations where version = :version', { version: LATEST_VERSION });
    await refuses(
      checkSchema(database),
      new RegExp(`is at version ${LATEST_VERSION - 1}, ${LATEST_VERSION} is needed.*ashlar db sync`, 's'),
    );
    await database.knex.raw("insert into ashlar_migrations values (1000, 'later', now())");
    await refuses(checkSchema(database), /newer ashlar/);
    await refuses(dbSync(database), /newer ashlar/);
  });

  test('a database of somebody else, or of another Cinder, is refused and left as it is', async () => {
    const foreign = await empty();
    await foreign.knex.raw('create table invoices (id int)');
    await refuses(dbSync(foreign), /invoices.*neither Cinder's nor ashlar's/);
    assert.deepEqual((await foreign.knex.raw("select tablename from pg_tables where schemaname = 'public'")).rows, [
      { tablename: 'invoices' },
    ]);

    const unknown = await likeCinder();
    await unknown.knex.raw("update alembic_version set version_num = '921e1a36b076'");
    await refuses(dbSync(unknown), /921e1a36b076.*cinder-manage db sync/s);

    const halfMade = await likeCinder();
    await halfMade.knex.raw('alter table volumes drop column use_quota');
    await refuses(dbSync(halfMade), /lacks volumes\.use_quota/);
  });

  test('a step that fails leaves the version before it', async () => {
    const database = await likeCinder();
    await database.knex.raw('create table ashlar_operations (id int)');
    await assert.rejects(dbSync(database));
    await refuses(checkSchema(database), /is at version 1/);
    await database.knex.raw('drop table ashlar_operations');
    assert.deepEqual(await dbSync(database), {
      from: 1,
      to: LATEST_VERSION,
      steps: ['ashlar_operations', 'ashlar_services', 'ashlar_leases', 'the context of ashlar_operations'],
    });
  });
});

async function empty(): Promise<Database> {
  const database = openDatabase({ connection: await postgres.emptyDatabase() });
  opened.push(database);
  return database;
}

/** What a Cinder leaves: its tables and rows, none of ours. */
async function likeCinder(): Promise<Database> {
  const database = await empty();
  await dbSync(database);
  await database.knex.raw('drop table ashlar_operations, ashlar_services, ashlar_leases, ashlar_migrations');
  return database;
}

function refuses(work: Promise<unknown>, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (error) => isFailure(error, 'ServiceUnavailable') && sentence.test(error.message));
}

/** The tables' columns in the form of the fixture. */
async function columnsOf({ knex }: Database): Promise<Record<string, string>[]> {
  const { rows } = await knex.raw(`
    select c.relname as "table", a.attnum::text as pos, a.attname as "column",
      replace(replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar'), ' without time zone', '') as pg_type,
      case when a.attnotnull then 'NO' else 'YES' end as nullable,
      coalesce(pg_get_expr(d.adbin, d.adrelid), '') as "default",
      case when p.oid is null then 'f' else 't' end as pk,
      coalesce(r.relname || '.' || ra.attname, '') as fk
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    left join pg_constraint p on p.conrelid = c.oid and p.contype = 'p' and a.attnum = any(p.conkey)
    left join pg_constraint f on f.conrelid = c.oid and f.contype = 'f' and a.attnum = any(f.conkey)
    left join pg_class r on r.oid = f.confrelid
    left join pg_attribute ra on ra.attrelid = r.oid and ra.attnum = f.confkey[1]
    where c.relkind = 'r' and c.relname not like 'ashlar%'`);
  return byKey(rows, ({ table, pos }) => `${table} ${pos?.padStart(3)}`);
}

async function indexesOf({ knex }: Database): Promise<Record<string, string>[]> {
  const { rows } = await knex.raw(
    "select indexname, indexdef from pg_indexes where schemaname = 'public' and tablename not like 'ashlar%'",
  );
  return byKey(rows, ({ indexname }) => `${indexname}`);
}

async function dump(database: Database): Promise<unknown> {
  const tables = ['ashlar_migrations', 'volume_types', 'group_types', 'group_type_specs', 'workers', 'alembic_version'];
  const rows = await Promise.all(tables.map(async (table) => (await database.knex.raw('table ??', [table])).rows));
  return [await columnsOf(database), await indexesOf(database), rows];
}

/** A CSV file with a header; fields in quotes may hold commas. */
async function fixture(name: string): Promise<Record<string, string>[]> {
  const text = await readFile(new URL(`../../fixtures/cinder/${name}`, import.meta.url), 'utf8');
  const [header = [], ...rows] = text.trim().split(/\r?\n/).map(fieldsOf);
  const records = rows.map((row) => Object.fromEntries(header.map((key, n) => [key, row[n] ?? ''])));
  return byKey(records, ({ table, pos, indexname }) => indexname ?? `${table} ${pos?.padStart(3)}`);
}

function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}

function byKey<T>(rows: T[], key: (row: T) => string): T[] {
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
