/** A notification's bytes, in oslo.messaging's format 2.0 and, without its envelope, 1.0. Pure. */
import { nameUuid } from '../lib/name-uuid.ts';
import type { RequestContext } from '../model/context.ts';
import { type JsonObject, wrap } from './envelope.ts';
import { contextToWire } from './wire-context.ts';

export type NotificationPriority = 'info' | 'error';

export interface NotificationMessage {
  /** A UUID. */
  readonly id: string;
  /** `volume.node@lvm`. */
  readonly publisherId: string;
  /** `volume.create.start`. */
  readonly eventType: string;
  readonly priority: NotificationPriority;
  /** Holds no secret: whoever reads the queue sees it. */
  readonly payload: JsonObject;
  readonly context: RequestContext;
  readonly at: Date;
}

/** For one topic: a listener of several takes messages of one unique id for copies of each other, and drops them. */
export function encodeNotification(message: NotificationMessage, topic: string, format: '1.0' | '2.0'): Buffer {
  const { id, publisherId, eventType, priority, payload, context, at } = message;
  // A token that was passed on is for services, not for listeners.
  const { auth_token: _, service_catalog: __, ...carried } = context.carried ?? {};
  const wireContext = contextToWire({ ...context, carried }, at);
  const fields: Record<string, unknown> = {
    message_id: id,
    publisher_id: publisherId,
    event_type: eventType,
    priority: priority.toUpperCase(),
    payload,
    timestamp: `${at.toISOString().slice(0, -1).replace('T', ' ')}000`,
    _unique_id: nameUuid(`${id} ${topic}`).replaceAll('-', ''),
  };
  for (const [key, value] of Object.entries(wireContext)) fields[`_context_${key}`] = value;
  return format === '2.0' ? wrap(fields) : Buffer.from(JSON.stringify(fields));
}
