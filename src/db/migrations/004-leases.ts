import type { Migration } from './migration.ts';

/** Who may act under a name: src/coordination/lease.ts. `epoch` counts the holders, and never goes back. */
export const leasesMigration: Migration = {
  version: 4,
  name: 'ashlar_leases',
  async up(sql) {
    await sql(`
      create table ashlar_leases (
        name varchar(255) primary key,
        holder varchar(36) not null,
        life text not null,
        epoch bigint not null,
        expires_at timestamp not null
      )`);
  },
};
