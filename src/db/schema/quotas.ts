/** Quotas. Usage is counted from the rows themselves; quota_usages and reservations are kept for a Cinder. */
import { softDelete, type Tables } from './table.ts';

export const quotasTables = {
  quotas: {
    columns: {
      id: 'serial primary key',
      ...softDelete,
      project_id: 'varchar(255)',
      resource: 'varchar(255) not null',
      hard_limit: 'integer',
      allocated: 'integer',
    },
  },
  quota_classes: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      class_name: 'varchar(255)',
      resource: 'varchar(255)',
      hard_limit: 'integer',
    },
    indexes: {
      ix_quota_classes_class_name: ['class_name'],
    },
  },
  quota_usages: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      project_id: 'varchar(255)',
      resource: 'varchar(300)',
      in_use: 'integer not null',
      reserved: 'integer not null',
      until_refresh: 'integer',
      race_preventer: 'boolean',
    },
    unique: [['project_id', 'resource', 'race_preventer']],
    indexes: {
      ix_quota_usages_project_id: ['project_id'],
      quota_usage_project_resource_idx: ['project_id', 'resource'],
    },
  },
  reservations: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      uuid: 'varchar(36) not null',
      usage_id: 'integer references quota_usages(id)',
      project_id: 'varchar(255)',
      resource: 'varchar(255)',
      delta: 'integer not null',
      expire: 'timestamp',
      allocated_id: 'integer references quotas(id)',
    },
    indexes: {
      ix_reservations_allocated_id: ['allocated_id'],
      ix_reservations_project_id: ['project_id'],
      ix_reservations_usage_id: ['usage_id'],
      reservations_deleted_expire_idx: ['deleted', 'expire'],
      reservations_deleted_uuid_idx: ['deleted', 'uuid'],
    },
  },
} as const satisfies Tables;
