import type { Connector } from './connector.ts';
import type { AttachmentStatus } from './status.ts';

/** One consumer of a volume. `connectionInfo` holds the CHAP secret: shown to the owner on request, never logged. */
export interface Attachment {
  readonly id: string;
  readonly volumeId: string;
  readonly instanceId: string | null;
  readonly attachedHost: string | null;
  readonly mountpoint: string | null;
  readonly attachMode: 'rw' | 'ro' | null;
  readonly attachStatus: AttachmentStatus;
  readonly connector: Connector | null;
  /** Flat connection data plus `driver_volume_type` and `attachment_id`, as os-brick takes it. */
  readonly connectionInfo: Readonly<Record<string, unknown>> | null;
  readonly attachTime: Date | null;
  readonly detachTime: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly deleted: boolean;
}

export type NewAttachment = Pick<Attachment, 'id' | 'volumeId' | 'attachStatus'> &
  Partial<Omit<Attachment, 'id' | 'volumeId' | 'attachStatus' | 'createdAt'>>;

export type AttachmentChanges = Partial<Omit<Attachment, 'id' | 'volumeId' | 'createdAt'>>;
