/** Notifications on a connection of their own, so that a flood of them keeps no message of the services waiting. */
import type { Logger } from '../../log/logger.ts';
import { encodeNotification } from '../notification.ts';
import type { NotificationDriver } from '../notifier.ts';
import { keepConnection } from './connection.ts';
import { createPublisher } from './publisher.ts';
import type { AmqpSettings } from './settings.ts';

/** How long one waits for the broker before it counts as not taken. */
const TIMEOUT_MS = 10_000;

/** Each goes to the queues `<topic>.<priority>`, which are made where they are not there. */
export function openAmqpNotifications(
  settings: AmqpSettings,
  { topics, format }: { readonly topics: readonly string[]; readonly format: '1.0' | '2.0' },
  log: Logger,
): NotificationDriver {
  const connection = keepConnection(settings, `ashlar:${process.pid}:notify`, log);
  const publisher = createPublisher(connection, settings, log);
  return {
    async send(message) {
      for (const topic of topics) {
        const content = encodeNotification(message, topic, format);
        const queue = `${topic}.${message.priority}`;
        const outgoing = { to: { queue }, content, id: `${message.id}:${topic}` };
        const deadlineMs = performance.now() + TIMEOUT_MS;
        if ((await publisher.publish({ ...outgoing, deadlineMs })) === 'routed') continue;
        await publisher.declareQueue(queue, Math.max(1, deadlineMs - performance.now()));
        await publisher.publish({ ...outgoing, deadlineMs });
      }
    },
    async close() {
      await publisher.close({ timeoutMs: 0 });
      await connection.close();
    },
  };
}
