/** Snapshots, and image metadata of volumes and snapshots. */
import { softDelete, type Tables } from './table.ts';

export const snapshotsTables = {
  snapshots: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      volume_id: 'varchar(36) not null references volumes(id)',
      user_id: 'varchar(255)',
      project_id: 'varchar(255)',
      status: 'varchar(255)',
      progress: 'varchar(255)',
      volume_size: 'integer',
      scheduled_at: 'timestamp',
      display_name: 'varchar(255)',
      display_description: 'varchar(255)',
      provider_location: 'varchar(255)',
      encryption_key_id: 'varchar(36)',
      volume_type_id: 'varchar(36) not null',
      cgsnapshot_id: 'varchar(36) references cgsnapshots(id)',
      provider_id: 'varchar(255)',
      provider_auth: 'varchar(255)',
      group_snapshot_id: 'varchar(36) references group_snapshots(id)',
      use_quota: 'boolean',
    },
    indexes: {
      ix_snapshots_cgsnapshot_id: ['cgsnapshot_id'],
      ix_snapshots_group_snapshot_id: ['group_snapshot_id'],
      ix_snapshots_volume_id: ['volume_id'],
    },
  },
  snapshot_metadata: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      snapshot_id: 'varchar(36) not null references snapshots(id)',
      key: 'varchar(255)',
      value: 'varchar(255)',
    },
    indexes: {
      ix_snapshot_metadata_snapshot_id: ['snapshot_id'],
    },
  },
  volume_glance_metadata: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      volume_id: 'varchar(36) references volumes(id)',
      snapshot_id: 'varchar(36) references snapshots(id)',
      key: 'varchar(255)',
      value: 'text',
    },
    indexes: {
      ix_volume_glance_metadata_snapshot_id: ['snapshot_id'],
      ix_volume_glance_metadata_volume_id: ['volume_id'],
    },
  },
} as const satisfies Tables;
