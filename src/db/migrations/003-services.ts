import type { Migration } from './migration.ts';

/**
 * Which of the services are Ashlar's. `instance` names one life of the process, `epoch` counts the lives. `report_count`
 * is that of the services row at our last beat: where that row has gone on without us, another make serves the name now.
 */
export const servicesMigration: Migration = {
  version: 3,
  name: 'ashlar_services',
  async up(sql) {
    await sql(`
      create table ashlar_services (
        host varchar(255) not null,
        "binary" varchar(255) not null,
        instance varchar(36) not null,
        epoch bigint not null,
        report_count integer not null,
        started_at timestamp not null,
        updated_at timestamp not null,
        primary key (host, "binary")
      )`);
  },
};
