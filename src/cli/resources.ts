/** The parts of Block Storage v3's answers that the command line looks into. All else is printed as it comes. */

export interface VolumeJson {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly size: number;
  readonly volume_type: string | null;
  /** `'true'` or `'false'`: the wire's own form. */
  readonly bootable: string;
  readonly multiattach: boolean;
  readonly availability_zone: string | null;
  readonly created_at: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly attachments: readonly {
    readonly attachment_id: string;
    readonly server_id: string | null;
    readonly host_name: string | null;
    readonly device: string | null;
  }[];
  readonly [field: string]: unknown;
}

export interface SnapshotJson {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly size: number;
  readonly volume_id: string;
  readonly created_at: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface AttachmentJson {
  readonly id: string;
  readonly status: string;
  readonly volume_id: string;
  readonly instance: string | null;
  readonly attach_mode?: string | null;
  readonly attached_at?: string | null;
  readonly connection_info?: Readonly<Record<string, unknown>> | null;
  readonly [field: string]: unknown;
}

export interface TypeJson {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly is_public: boolean;
  readonly extra_specs?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface ServiceJson {
  readonly binary: string;
  readonly host: string;
  readonly zone: string;
  readonly status: string;
  readonly state: string;
  readonly updated_at: string | null;
  readonly cluster?: string | null;
  readonly disabled_reason: string | null;
}

export interface PoolJson {
  readonly name: string;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

export interface MessageJson {
  readonly id: string;
  readonly event_id: string;
  readonly user_message: string;
  readonly resource_type: string | null;
  readonly resource_uuid: string | null;
  readonly created_at: string;
}

/** Fields known before an answer is there: what -c is checked against before something is changed. */
export const FIELDS = {
  volume: [
    'attachments',
    'availability_zone',
    'bootable',
    'cluster_name',
    'consistencygroup_id',
    'consumes_quota',
    'created_at',
    'description',
    'encrypted',
    'encryption_key_id',
    'fault',
    'group_id',
    'id',
    'metadata',
    'migration_status',
    'multiattach',
    'name',
    'os-vol-host-attr:host',
    'os-vol-mig-status-attr:migstat',
    'os-vol-mig-status-attr:name_id',
    'os-vol-tenant-attr:tenant_id',
    'provider_id',
    'replication_status',
    'service_uuid',
    'shared_targets',
    'size',
    'snapshot_id',
    'source_volid',
    'status',
    'updated_at',
    'user_id',
    'volume_type',
    'volume_type_id',
  ],
  snapshot: [
    'consumes_quota',
    'created_at',
    'description',
    'fault',
    'group_snapshot_id',
    'id',
    'metadata',
    'name',
    'os-extended-snapshot-attributes:progress',
    'os-extended-snapshot-attributes:project_id',
    'size',
    'status',
    'updated_at',
    'user_id',
    'volume_id',
  ],
  attachment: ['attach_mode', 'attached_at', 'connection_info', 'detached_at', 'id', 'instance', 'status', 'volume_id'],
  type: ['description', 'extra_specs', 'id', 'is_public', 'name', 'os-volume-type-access:is_public', 'qos_specs_id'],
} as const;
