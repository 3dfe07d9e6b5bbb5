/** The numbers under which Block Storage v3 tells users why something failed. Pure. */
import type { Operation } from './operation.ts';

/** How long a message is kept at least, and so an ended operation's record. */
export const MESSAGE_TTL_SECONDS = 30 * 24 * 3600;

/** What was going on, and why it failed. `VOLUME_<resourceType>_<actionId>_<detailId>` is the event. */
export interface UserMessage {
  readonly resourceType: 'VOLUME' | 'VOLUME_SNAPSHOT';
  readonly resourceId: string;
  readonly actionId: string;
  readonly detailId: string;
}

const SCHEDULE = '001';
const UNKNOWN_ERROR = '001';

/** 000 where Block Storage v3 has no number for it. */
const actionIds: Readonly<Record<string, string>> = {
  create_volume: '008',
  extend_volume: '007',
  create_snapshot: '009',
  delete_snapshot: '010',
  attachment_update: '004',
  initialize_connection: '002',
  attach_volume: '002',
  copy_volume_to_image: '003',
  reimage: '016',
};

/** Why, where the failure's code says so. */
const detailsByCode: Readonly<Record<string, string>> = {
  DriverNotInitialized: '002',
  NoValidBackend: '003',
  SnapshotIsBusy: '015',
  InvalidVolume: '027',
};

/** Why, where only the action is known. */
const detailsByMethod: Readonly<Record<string, string>> = {
  create_volume: '012',
  extend_volume: '010',
  create_snapshot: '013',
  delete_snapshot: '016',
  attachment_update: '021',
  attach_volume: '021',
  detach_volume: '022',
  attachment_delete: '022',
  copy_volume_to_image: '004',
};

/** What the numbers mean that another service gives for its own failures; those that say nothing are missing. */
const reasons: Readonly<Record<string, string>> = {
  '002': 'its driver is not initialised',
  '003': 'no backend was fit for it',
  '006': 'the quota does not allow it',
  '009': 'the compute service could not follow the volume as it grew',
  '010': 'the driver could not extend the volume',
  '012': 'the driver could not create the volume',
  '013': 'the driver could not create the snapshot',
  '015': 'the snapshot is busy',
  '016': 'the driver could not delete the snapshot',
  '021': 'the driver could not attach the volume',
  '022': 'the driver could not detach the volume',
  '027': 'the volume was in no state for it',
};

/** In words; null where the number says no more than that it failed. */
export function reasonInWords(detailId: string | null): string | null {
  return reasons[detailId ?? ''] ?? null;
}

/** Of an operation that failed. An attachment's is shown as one of its volume. */
export function userMessageOf(
  operation: Pick<Operation, 'method' | 'resourceType' | 'resourceId' | 'errorCode' | 'arguments'>,
): UserMessage {
  const { method, errorCode, resourceType } = operation;
  const { volumeId } = operation.arguments;
  return {
    resourceType: resourceType === 'snapshot' ? 'VOLUME_SNAPSHOT' : 'VOLUME',
    resourceId: resourceType === 'attachment' && typeof volumeId === 'string' ? volumeId : operation.resourceId,
    actionId: errorCode === 'NoValidBackend' ? SCHEDULE : (actionIds[method] ?? '000'),
    detailId: detailsByCode[errorCode ?? ''] ?? detailsByMethod[method] ?? UNKNOWN_ERROR,
  };
}

export function eventOf({ resourceType, actionId, detailId }: UserMessage): string {
  return `VOLUME_${resourceType}_${actionId}_${detailId}`;
}
