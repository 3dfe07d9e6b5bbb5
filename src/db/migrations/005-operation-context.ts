import type { Migration } from './migration.ts';

/** What a record keeps of the context of its request: roles and domains, never a token (src/model/context.ts). */
export const operationContextMigration: Migration = {
  version: 5,
  name: 'the context of ashlar_operations',
  async up(sql) {
    await sql('alter table ashlar_operations add column context jsonb');
  },
};
