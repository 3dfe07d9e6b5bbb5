/** Volume types: extra specs, access, QoS, encryption, defaults. */
import { softDelete, type Tables } from './table.ts';

export const volumeTypesTables = {
  quality_of_service_specs: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      specs_id: 'varchar(36) references quality_of_service_specs(id)',
      key: 'varchar(255)',
      value: 'varchar(255)',
    },
    indexes: {
      ix_quality_of_service_specs_specs_id: ['specs_id'],
    },
  },
  volume_types: {
    columns: {
      ...softDelete,
      id: 'varchar(36) primary key',
      name: 'varchar(255)',
      qos_specs_id: 'varchar(36) references quality_of_service_specs(id)',
      is_public: 'boolean',
      description: 'varchar(255)',
    },
    indexes: {
      ix_volume_types_qos_specs_id: ['qos_specs_id'],
    },
  },
  volume_type_extra_specs: {
    columns: {
      ...softDelete,
      id: 'serial primary key',
      volume_type_id: 'varchar(36) not null references volume_types(id)',
      key: 'varchar(255)',
      value: 'varchar(255)',
    },
    indexes: {
      ix_volume_type_extra_specs_volume_type_id: ['volume_type_id'],
    },
  },
  volume_type_projects: {
    columns: {
      id: 'serial primary key',
      created_at: 'timestamp',
      updated_at: 'timestamp',
      deleted_at: 'timestamp',
      volume_type_id: 'varchar(36) references volume_types(id)',
      project_id: 'varchar(255)',
      deleted: 'integer',
    },
    unique: [['volume_type_id', 'project_id', 'deleted']],
  },
  default_volume_types: {
    columns: {
      created_at: 'timestamp',
      updated_at: 'timestamp',
      deleted_at: 'timestamp',
      volume_type_id: 'varchar(36) references volume_types(id)',
      project_id: 'varchar(255) primary key',
      deleted: 'boolean',
    },
    indexes: {
      ix_default_volume_types_volume_type_id: ['volume_type_id'],
    },
  },
  encryption: {
    columns: {
      ...softDelete,
      cipher: 'varchar(255)',
      control_location: 'varchar(255) not null',
      key_size: 'integer',
      provider: 'varchar(255) not null',
      volume_type_id: 'varchar(36) not null',
      encryption_id: 'varchar(36) primary key',
    },
  },
} as const satisfies Tables;
