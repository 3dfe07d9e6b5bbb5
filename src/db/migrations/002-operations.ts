import type { Migration } from './migration.ts';

/** The durable records of requests (src/model/operation.ts). `sequence` is the order in which they were recorded. */
export const operationsMigration: Migration = {
  version: 2,
  name: 'ashlar_operations',
  async up(sql) {
    await sql(`
      create table ashlar_operations (
        id varchar(36) primary key,
        sequence bigserial not null,
        resource_type varchar(40) not null,
        resource_id varchar(36) not null,
        method varchar(255) not null,
        arguments jsonb not null,
        request_id varchar(255) not null,
        user_id varchar(255),
        project_id varchar(255),
        owner varchar(255) not null,
        state varchar(16) not null check (state in ('queued', 'running', 'done', 'failed')),
        worker varchar(255),
        attempt integer not null,
        error text,
        error_code varchar(64),
        result jsonb,
        created_at timestamp not null,
        started_at timestamp,
        finished_at timestamp
      )`);
    await sql(
      `create index ashlar_operations_unfinished_idx on ashlar_operations (owner, sequence) where state in ('queued', 'running')`,
    );
    await sql(
      `create index ashlar_operations_failed_idx on ashlar_operations (project_id, sequence) where state = 'failed'`,
    );
    await sql('create index ashlar_operations_resource_idx on ashlar_operations (resource_id, sequence)');
    await sql('create index ashlar_operations_finished_idx on ashlar_operations (finished_at)');
  },
};
