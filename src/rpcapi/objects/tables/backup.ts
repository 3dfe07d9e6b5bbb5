import { type ObjectTable, stamps } from '../field.ts';

const backupStatus = {
  values: ['error', 'error_deleting', 'creating', 'available', 'deleting', 'deleted', 'restoring'],
  nullable: true,
} as const;

const backupFields = {
  id: 'uuid',
  user_id: 'string',
  project_id: 'string',
  volume_id: 'uuid',
  host: 'string?',
  availability_zone: 'string?',
  container: 'string?',
  parent_id: 'string?',
  parent: 'Backup?',
  status: backupStatus,
  fail_reason: 'string?',
  size: 'integer?',
  display_name: 'string?',
  display_description: 'string?',
  service_metadata: 'string?',
  service: 'string?',
  object_count: 'integer?',
  temp_volume_id: 'string?',
  temp_snapshot_id: 'string?',
  num_dependent_backups: 'integer?',
  snapshot_id: 'string?',
  data_timestamp: 'date?',
  restore_volume_id: 'string?',
  metadata: 'strings?',
  encryption_key_id: 'string?',
  ...stamps,
} as const satisfies ObjectTable[string]['fields'];

export const backupObjects = {
  Backup: { version: '1.7', fields: backupFields },
  BackupList: { version: '1.0', fields: { objects: '[Backup]' } },
  /** A backup made known from its metadata: the same fields. */
  BackupImport: { version: '1.7', fields: backupFields },
  BackupDeviceInfo: {
    version: '1.0',
    fields: {
      volume: 'Volume?',
      snapshot: 'Snapshot?',
      secure_enabled: 'boolean',
    },
  },
} as const satisfies ObjectTable;
