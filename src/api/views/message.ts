/** Failed operations as the messages that clients read. Pure. */
import type { Operation } from '../../model/operation.ts';
import type { OperationMethod } from '../../rpcapi/requests.ts';
import { linksTo } from './links.ts';
import { timestamp } from './timestamp.ts';

/** How long an operation's record is kept at least, and so its message. */
export const MESSAGE_TTL_SECONDS = 30 * 24 * 3600;

/** What was going on: the number in the event id, and the words. 000 where Block Storage v3 has no number for it. */
const actions: Readonly<Record<OperationMethod, readonly [id: string, words: string]>> = {
  create_volume: ['008', 'create volume'],
  delete_volume: ['000', 'delete volume'],
  extend_volume: ['007', 'extend volume'],
  create_snapshot: ['009', 'create snapshot'],
  delete_snapshot: ['010', 'delete snapshot'],
  attachment_update: ['004', 'update attachment'],
  attachment_delete: ['000', 'delete attachment'],
  initialize_connection: ['002', 'initialize connection'],
  terminate_connection: ['000', 'terminate connection'],
  attach_volume: ['002', 'attach volume'],
  detach_volume: ['000', 'detach volume'],
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
};

const SCHEDULE = '001';
const UNKNOWN_ERROR = '001';

export interface Message {
  readonly id: string;
  readonly event_id: string;
  readonly user_message: string;
  readonly message_level: 'ERROR';
  readonly created_at: string;
  readonly guaranteed_until: string;
  readonly request_id: string;
  readonly resource_type: string;
  readonly resource_uuid: string;
}

/** The message of an operation that failed. An attachment's is shown as one of its volume. */
export function messageOfOperation(operation: Operation): Message {
  const [action, words] = actions[operation.method as OperationMethod] ?? [
    '000',
    operation.method.replaceAll('_', ' '),
  ];
  const resourceType = operation.resourceType === 'snapshot' ? 'VOLUME_SNAPSHOT' : 'VOLUME';
  const detail = detailsByCode[operation.errorCode ?? ''] ?? detailsByMethod[operation.method] ?? UNKNOWN_ERROR;
  const failedAt = operation.finishedAt ?? operation.createdAt;
  return {
    id: operation.id,
    event_id: `VOLUME_${resourceType}_${operation.errorCode === 'NoValidBackend' ? SCHEDULE : action}_${detail}`,
    user_message: `${words}: ${operation.error ?? 'The reason was not recorded.'}`,
    message_level: 'ERROR',
    created_at: timestamp(failedAt),
    guaranteed_until: timestamp(new Date(failedAt.getTime() + MESSAGE_TTL_SECONDS * 1000)),
    request_id: operation.requestId,
    resource_type: resourceType,
    resource_uuid: subjectOf(operation),
  };
}

/** With its links. `baseUrl` is `http://host:port/v3/<project>`. */
export function messageView(message: Message, baseUrl: string) {
  const { resource_type, resource_uuid, ...rest } = message;
  return {
    ...rest,
    links: linksTo(baseUrl, 'messages', message.id),
    resource_type,
    resource_uuid,
  };
}

function subjectOf(operation: Operation): string {
  const { volumeId } = operation.arguments;
  return operation.resourceType === 'attachment' && typeof volumeId === 'string' ? volumeId : operation.resourceId;
}
