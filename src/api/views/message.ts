/** Failed operations as the messages that clients read. Pure. */
import type { Operation } from '../../model/operation.ts';
import { eventOf, MESSAGE_TTL_SECONDS, userMessageOf } from '../../model/user-message.ts';
import { linksTo } from './links.ts';
import { timestamp } from './timestamp.ts';

/** What was going on, where the method's own name does not say it. */
const words: Readonly<Record<string, string>> = {
  attachment_update: 'update attachment',
  attachment_delete: 'delete attachment',
};

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
  const numbers = userMessageOf(operation);
  const what = words[operation.method] ?? operation.method.replaceAll('_', ' ');
  const failedAt = operation.finishedAt ?? operation.createdAt;
  return {
    id: operation.id,
    event_id: eventOf(numbers),
    user_message: `${what}: ${operation.error ?? 'The reason was not recorded.'}`,
    message_level: 'ERROR',
    created_at: timestamp(failedAt),
    guaranteed_until: timestamp(new Date(failedAt.getTime() + MESSAGE_TTL_SECONDS * 1000)),
    request_id: operation.requestId,
    resource_type: numbers.resourceType,
    resource_uuid: numbers.resourceId,
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
