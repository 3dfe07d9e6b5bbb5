import { type ObjectTable, stamps } from '../field.ts';

const replicationStatus = {
  values: [
    'error',
    'enabled',
    'disabled',
    'not-capable',
    'failover-error',
    'failing-over',
    'failed-over',
    'enabling',
    'disabling',
  ],
  nullable: true,
} as const;

export const serviceObjects = {
  Service: {
    version: '1.6',
    fields: {
      id: 'integer',
      host: 'string?',
      binary: 'string?',
      cluster_name: 'string?',
      cluster: 'Cluster?',
      topic: 'string?',
      report_count: 'integer',
      disabled: 'boolean?',
      availability_zone: 'string?',
      disabled_reason: 'string?',
      modified_at: 'date?',
      rpc_current_version: 'string?',
      object_current_version: 'string?',
      replication_status: replicationStatus,
      frozen: 'boolean',
      active_backend_id: 'string?',
      uuid: 'string',
      ...stamps,
    },
  },
  ServiceList: { version: '1.1', fields: { objects: '[Service]' } },
  Cluster: {
    version: '1.1',
    fields: {
      id: 'integer',
      name: 'string',
      binary: 'string',
      disabled: 'boolean?',
      disabled_reason: 'string?',
      num_hosts: 'integer',
      num_down_hosts: 'integer',
      last_heartbeat: 'date?',
      services: 'ServiceList?',
      replication_status: replicationStatus,
      frozen: 'boolean',
      active_backend_id: 'string?',
      ...stamps,
    },
  },
  ClusterList: { version: '1.0', fields: { objects: '[Cluster]' } },
  CleanupRequest: {
    version: '1.0',
    fields: {
      service_id: 'integer?',
      cluster_name: 'string?',
      host: 'string?',
      binary: 'string?',
      is_up: 'boolean?',
      disabled: 'boolean?',
      resource_id: 'uuid?',
      resource_type: 'string?',
      until: 'date?',
    },
  },
  LogLevel: {
    version: '1.0',
    fields: {
      prefix: 'string?',
      level: 'string?',
    },
  },
  LogLevelList: { version: '1.0', fields: { objects: '[LogLevel]' } },
} as const satisfies ObjectTable;
