import type { SnapshotStatus } from './status.ts';

/** A snapshot as the services see it. `volumeSizeGb` is the size of its volume when it was taken. */
export interface Snapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly status: SnapshotStatus;
  /** Per cent as text, `100%` when done: the column's own form. */
  readonly progress: string | null;
  readonly volumeSizeGb: number;
  readonly displayName: string | null;
  readonly displayDescription: string | null;
  readonly providerLocation: string | null;
  readonly providerId: string | null;
  readonly providerAuth: string | null;
  readonly volumeTypeId: string;
  readonly encryptionKeyId: string | null;
  readonly groupSnapshotId: string | null;
  readonly useQuota: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly deleted: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

export type NewSnapshot = Pick<Snapshot, 'id' | 'volumeId' | 'volumeSizeGb' | 'volumeTypeId' | 'status'> &
  Partial<Omit<Snapshot, 'id' | 'volumeId' | 'volumeSizeGb' | 'volumeTypeId' | 'status' | 'createdAt'>>;

export type SnapshotChanges = Partial<Omit<Snapshot, 'id' | 'createdAt' | 'metadata'>>;
