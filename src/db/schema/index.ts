import { backupsTables } from './backups.ts';
import { groupsTables } from './groups.ts';
import { quotasTables } from './quotas.ts';
import { servicesTables } from './services.ts';
import { snapshotsTables } from './snapshots.ts';
import type { Tables } from './table.ts';
import { volumeTypesTables } from './volume-types.ts';
import { volumesTables } from './volumes.ts';

/** The whole schema of Cinder Zed, so that a Cinder can be put on a database of ours, and we on one of its. */
export const cinderTables: Tables = {
  ...volumesTables,
  ...snapshotsTables,
  ...volumeTypesTables,
  ...servicesTables,
  ...quotasTables,
  ...groupsTables,
  ...backupsTables,
};

/** The version in alembic_version that means exactly this schema (the head of Cinder Zed). */
export const ALEMBIC_VERSION = 'c92a3e68beed';

/**
 * Versions that we work with: Zed's and its successors, which add indexes, widen columns, set NOT NULL where we always
 * write a value, and move defaults.
 */
export const KNOWN_ALEMBIC_VERSIONS: readonly string[] = [
  ALEMBIC_VERSION,
  'daa98075b90d',
  '89aa6f9639f9',
  'b8660621f1b9',
  '9ab1b092a404',
  'b7b88f50aab5',
  '9c74c1c6971f',
];
