import { cinderTablesMigration } from './001-cinder-tables.ts';
import { operationsMigration } from './002-operations.ts';
import { servicesMigration } from './003-services.ts';
import { leasesMigration } from './004-leases.ts';
import { operationContextMigration } from './005-operation-context.ts';
import type { Migration } from './migration.ts';

/** The roll-call, in order. */
export const migrations: readonly Migration[] = [
  cinderTablesMigration,
  operationsMigration,
  servicesMigration,
  leasesMigration,
  operationContextMigration,
];

export const LATEST_VERSION = migrations.at(-1)!.version;
