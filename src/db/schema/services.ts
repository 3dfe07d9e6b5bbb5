/** Services, clusters, and what they remember. */
import { softDelete, type Tables } from './table.ts';

export const servicesTables = {
  services: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      host: 'varchar(255)',
      binary: 'varchar(255)',
      topic: 'varchar(255)',
      report_count: 'integer not null',
      disabled: 'boolean',
      availability_zone: 'varchar(255)',
      disabled_reason: 'varchar(255)',
      modified_at: 'timestamp',
      rpc_current_version: 'varchar(36)',
      object_current_version: 'varchar(36)',
      replication_status: 'varchar(36)',
      frozen: 'boolean',
      active_backend_id: 'varchar(255)',
      cluster_name: 'varchar(255)',
      uuid: 'varchar(36)',
    },
    uniqueIndexes: {
      services_uuid_idx: ['uuid'],
    },
  },
  clusters: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      name: 'varchar(255) not null',
      binary: 'varchar(255) not null',
      disabled: 'boolean',
      disabled_reason: 'varchar(255)',
      race_preventer: 'integer not null',
      replication_status: 'varchar(36)',
      active_backend_id: 'varchar(255)',
      frozen: 'boolean not null default false',
    },
    unique: [['name', 'binary', 'race_preventer']],
  },
  workers: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      resource_type: 'varchar(40) not null',
      resource_id: 'varchar(36) not null',
      status: 'varchar(255) not null',
      service_id: 'integer references services(id)',
      race_preventer: 'integer not null default 0',
    },
    unique: [['resource_type', 'resource_id']],
    indexes: {
      ix_workers_service_id: ['service_id'],
    },
  },
  driver_initiator_data: {
    columns: {
      created_at: 'timestamp',
      updated_at: 'timestamp',
      id: 'serial primary key',
      initiator: 'varchar(255) not null',
      namespace: 'varchar(255) not null',
      key: 'varchar(255) not null',
      value: 'varchar(255)',
    },
    unique: [['initiator', 'namespace', 'key']],
    indexes: {
      ix_driver_initiator_data_initiator: ['initiator'],
    },
  },
  image_volume_cache_entries: {
    columns: {
      image_updated_at: 'timestamp',
      id: 'serial primary key',
      host: 'varchar(255) not null',
      image_id: 'varchar(36) not null',
      volume_id: 'varchar(36) not null',
      size: 'integer not null',
      last_used: 'timestamp not null',
      cluster_name: 'varchar(255)',
    },
    indexes: {
      ix_image_volume_cache_entries_host: ['host'],
      ix_image_volume_cache_entries_image_id: ['image_id'],
    },
  },
  messages: {
    columns: {
      id: 'varchar(36) primary key',
      project_id: 'varchar(255) not null',
      request_id: 'varchar(255)',
      resource_type: 'varchar(36)',
      resource_uuid: 'varchar(255)',
      event_id: 'varchar(255) not null',
      message_level: 'varchar(255) not null',
      ...softDelete,
      expires_at: 'timestamp',
      detail_id: 'varchar(10)',
      action_id: 'varchar(10)',
    },
    indexes: {
      ix_messages_expires_at: ['expires_at'],
    },
  },
  alembic_version: {
    columns: {
      version_num: 'varchar(32) constraint alembic_version_pkc primary key',
    },
  },
} as const satisfies Tables;
