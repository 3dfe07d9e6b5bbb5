import type { AttachStatus, VolumeStatus } from './status.ts';

/** A volume as the services see it. Sizes are whole GiB, dates are UTC. The database columns are Cinder's. */
export interface Volume {
  readonly id: string;
  /** Set when the backend's object carries another volume's id in its name (after a migration). */
  readonly nameId: string | null;
  readonly userId: string | null;
  readonly projectId: string | null;
  /** `host@backend#pool`, null until the scheduler has placed the volume. */
  readonly host: string | null;
  readonly clusterName: string | null;
  readonly sizeGb: number;
  readonly availabilityZone: string | null;
  readonly status: VolumeStatus;
  readonly attachStatus: AttachStatus;
  readonly previousStatus: string | null;
  readonly migrationStatus: string | null;
  readonly replicationStatus: string | null;
  readonly displayName: string | null;
  readonly displayDescription: string | null;
  /** How an initiator reaches the export: `portal:port,tpgt iqn lun`. Null while the volume is not exported. */
  readonly providerLocation: string | null;
  /** `CHAP user password`. A secret: never logged, never shown by the API. */
  readonly providerAuth: string | null;
  readonly providerId: string | null;
  readonly snapshotId: string | null;
  readonly sourceVolumeId: string | null;
  readonly volumeTypeId: string;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  readonly encryptionKeyId: string | null;
  readonly groupId: string | null;
  readonly consistencyGroupId: string | null;
  readonly serviceUuid: string | null;
  readonly sharedTargets: boolean | null;
  readonly useQuota: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
  readonly scheduledAt: Date | null;
  readonly launchedAt: Date | null;
  readonly terminatedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly deleted: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly adminMetadata: Readonly<Record<string, string>>;
}

/** What has to be said of a new volume; all else starts at its default. */
export type NewVolume = Pick<Volume, 'id' | 'sizeGb' | 'volumeTypeId' | 'status'> &
  Partial<Omit<Volume, 'id' | 'sizeGb' | 'volumeTypeId' | 'status' | 'createdAt'>>;

/** Columns an UPDATE may set. Metadata has its own methods. */
export type VolumeChanges = Partial<Omit<Volume, 'id' | 'createdAt' | 'metadata' | 'adminMetadata'>>;
