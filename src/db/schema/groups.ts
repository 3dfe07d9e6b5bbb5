/** Groups and consistency groups. */
import { softDelete, type Tables } from './table.ts';

export const groupsTables = {
  consistencygroups: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      user_id: 'varchar(255)',
      project_id: 'varchar(255)',
      host: 'varchar(255)',
      availability_zone: 'varchar(255)',
      name: 'varchar(255)',
      description: 'varchar(255)',
      volume_type_id: 'varchar(255)',
      status: 'varchar(255)',
      cgsnapshot_id: 'varchar(36)',
      source_cgid: 'varchar(36)',
      cluster_name: 'varchar(255)',
    },
  },
  cgsnapshots: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      consistencygroup_id: 'varchar(36) not null references consistencygroups(id)',
      user_id: 'varchar(255)',
      project_id: 'varchar(255)',
      name: 'varchar(255)',
      description: 'varchar(255)',
      status: 'varchar(255)',
    },
    indexes: {
      ix_cgsnapshots_consistencygroup_id: ['consistencygroup_id'],
    },
  },
  groups: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      user_id: 'varchar(255)',
      project_id: 'varchar(255)',
      cluster_name: 'varchar(255)',
      host: 'varchar(255)',
      availability_zone: 'varchar(255)',
      name: 'varchar(255)',
      description: 'varchar(255)',
      group_type_id: 'varchar(36)',
      status: 'varchar(255)',
      group_snapshot_id: 'varchar(36)',
      source_group_id: 'varchar(36)',
      replication_status: 'varchar(255)',
    },
  },
  group_snapshots: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      group_id: 'varchar(36) not null references groups(id)',
      user_id: 'varchar(255)',
      project_id: 'varchar(255)',
      name: 'varchar(255)',
      description: 'varchar(255)',
      status: 'varchar(255)',
      group_type_id: 'varchar(36)',
    },
    indexes: {
      ix_group_snapshots_group_id: ['group_id'],
    },
  },
  group_types: {
    columns: {
      id: 'varchar(36) primary key',
      name: 'varchar(255) not null',
      description: 'varchar(255)',
      ...softDelete,
      is_public: 'boolean',
    },
  },
  group_type_specs: {
    columns: {
      id: 'serial primary key',
      key: 'varchar(255)',
      value: 'varchar(255)',
      group_type_id: 'varchar(36) not null references group_types(id)',
      ...softDelete,
    },
    indexes: {
      ix_group_type_specs_group_type_id: ['group_type_id'],
    },
  },
  group_type_projects: {
    columns: {
      id: 'serial primary key',
      created_at: 'timestamp',
      updated_at: 'timestamp',
      deleted_at: 'timestamp',
      group_type_id: 'varchar(36) references group_types(id)',
      project_id: 'varchar(255)',
      deleted: 'boolean',
    },
    unique: [['group_type_id', 'project_id', 'deleted']],
  },
  group_volume_type_mapping: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      volume_type_id: 'varchar(36) not null references volume_types(id)',
      group_id: 'varchar(36) not null references groups(id)',
    },
    indexes: {
      ix_group_volume_type_mapping_group_id: ['group_id'],
      ix_group_volume_type_mapping_volume_type_id: ['volume_type_id'],
    },
  },
} as const satisfies Tables;
