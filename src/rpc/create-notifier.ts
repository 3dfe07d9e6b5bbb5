import type { Logger } from '../log/logger.ts';
import { failure } from '../model/errors.ts';
import { openAmqpNotifications } from './amqp/notify.ts';
import { withQuery } from './amqp/settings.ts';
import type { TransportOptions } from './create-transport.ts';
import { createNotifier, type NotificationDriver, type Notifier } from './notifier.ts';
import type { NotificationOptions } from './options.ts';
import { parseTransportUrl } from './transport-url.ts';

/**
 * What [oslo_messaging_notifications] asks for; null where that is nothing. `url` is where all other messages go.
 * Throws InvalidConfigurationValue.
 */
export function openNotifier({
  url,
  notifications,
  options,
  log,
}: {
  readonly url: string;
  readonly notifications: NotificationOptions;
  readonly options: TransportOptions;
  readonly log: Logger;
}): Notifier | null {
  const { driver: names, topics, retry, transport_url: ownUrl } = notifications;
  const open = [...new Set(names)].flatMap((name): readonly (() => NotificationDriver)[] => {
    switch (name) {
      case 'noop':
      case '':
        return [];
      case 'log':
        return [() => logDriver(log)];
      case 'messaging':
      case 'messagingv2': {
        const where = parseTransportUrl(ownUrl ?? url);
        if (where.kind === 'memory') throw invalid(`${name} needs a broker; set transport_url, or driver = log`);
        const { hosts: brokers, vhost, query } = where;
        const settings = { ...options, brokers, vhost, rabbit: withQuery(options.rabbit, query) };
        const format = name === 'messaging' ? '1.0' : '2.0';
        return [() => openAmqpNotifications(settings, { topics, format }, log)];
      }
      default:
        throw invalid(`there is no driver ${name}; there are messagingv2, messaging, log and noop`);
    }
  });
  if (open.length === 0) return null;
  return createNotifier({ drivers: open.map((make) => make()), retry, log });
}

function logDriver(log: Logger): NotificationDriver {
  return {
    async send({ eventType, publisherId, priority, payload, context }) {
      const fields = { request_id: context.requestId, publisher: publisherId, priority, payload };
      log.info({ ...fields, event: eventType }, 'notification');
    },
    async close() {},
  };
}

function invalid(reason: string): Error {
  return failure('InvalidConfigurationValue', { group: 'oslo_messaging_notifications', option: 'driver', reason });
}
