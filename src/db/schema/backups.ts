/** Backups. */
import { softDelete, type Tables } from './table.ts';

export const backupsTables = {
  backups: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      volume_id: 'varchar(36) not null',
      user_id: 'varchar(255)',
      project_id: 'varchar(255)',
      host: 'varchar(255)',
      availability_zone: 'varchar(255)',
      display_name: 'varchar(255)',
      display_description: 'varchar(255)',
      container: 'varchar(255)',
      status: 'varchar(255)',
      fail_reason: 'varchar(255)',
      service_metadata: 'varchar(255)',
      service: 'varchar(255)',
      size: 'integer',
      object_count: 'integer',
      parent_id: 'varchar(36)',
      temp_volume_id: 'varchar(36)',
      temp_snapshot_id: 'varchar(36)',
      num_dependent_backups: 'integer',
      snapshot_id: 'varchar(36)',
      data_timestamp: 'timestamp',
      restore_volume_id: 'varchar(36)',
      encryption_key_id: 'varchar(36)',
    },
  },
  backup_metadata: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      backup_id: 'varchar(36) not null references backups(id)',
      key: 'varchar(255)',
      value: 'varchar(255)',
    },
    indexes: {
      ix_backup_metadata_backup_id: ['backup_id'],
    },
  },
} as const satisfies Tables;
