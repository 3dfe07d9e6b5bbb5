import { randomUUID } from 'node:crypto';
import { ALEMBIC_VERSION, cinderTables } from '../schema/index.ts';
import { createTableStatements, inOrderOfReference } from '../schema/table.ts';
import { SQL_NOW } from '../time.ts';
import type { Migration } from './migration.ts';

/** Cinder's tables and first rows, where the database is empty; on one that Cinder made, nothing. */
export const cinderTablesMigration: Migration = {
  version: 1,
  name: 'tables of Cinder Zed',
  async up(sql, { isEmpty }) {
    if (!isEmpty) return;
    for (const name of inOrderOfReference(cinderTables)) {
      for (const statement of createTableStatements(name, cinderTables[name]!)) await sql(statement);
    }
    await sql('insert into alembic_version (version_num) values (:version)', { version: ALEMBIC_VERSION });
    await seed(sql);
  },
};

/** The rows that a Cinder expects to find. Limits of quota classes are left to the options. */
async function seed(sql: Parameters<Migration['up']>[0]): Promise<void> {
  await sql(
    `insert into volume_types (id, name, description, is_public, deleted, created_at, updated_at)
     values (:id, '__DEFAULT__', 'Default Volume Type', true, false, ${SQL_NOW}, ${SQL_NOW})`,
    { id: randomUUID() },
  );
  const groupTypeId = randomUUID();
  await sql(
    `insert into group_types (id, name, description, is_public, deleted, created_at, updated_at)
     values (:groupTypeId, 'default_cgsnapshot_type', 'Default group type for migrating cgsnapshot', true, false, ${SQL_NOW}, ${SQL_NOW})`,
    { groupTypeId },
  );
  await sql(
    `insert into group_type_specs (key, value, group_type_id, deleted, created_at, updated_at)
     values ('consistent_group_snapshot_enabled', '<is> True', :groupTypeId, false, ${SQL_NOW}, ${SQL_NOW})`,
    { groupTypeId },
  );
  // Tells a Cinder that times here are finer than a second.
  await sql(
    `insert into workers (resource_type, resource_id, status, deleted, created_at, updated_at)
     values ('SENTINEL', 'SUB-SECOND', 'OK', false, ${SQL_NOW}, date_trunc('second', ${SQL_NOW}) + interval '123 microseconds')`,
  );
}
