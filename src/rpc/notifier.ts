/**
 * Sends notifications in order, one after the other, beside the work that they tell of: nobody waits for one, none fails
 * anything. What the broker does not take waits in a buffer of bounded length; beyond it they are dropped and counted.
 */
import { randomUUID } from 'node:crypto';
import { createLimiter } from '../lib/bounded.ts';
import { measure } from '../lib/measure.ts';
import { settledWithin, sleep } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import type { RequestContext } from '../model/context.ts';
import { messageOf } from '../model/errors.ts';
import type { JsonObject } from './envelope.ts';
import type { NotificationMessage, NotificationPriority } from './notification.ts';

export interface Notification {
  readonly publisherId: string;
  readonly eventType: string;
  readonly priority: NotificationPriority;
  readonly context: RequestContext;
  /** Called at once, and only where the notification is sent. */
  payload(): Promise<JsonObject>;
}

export interface Notifier {
  /** Never throws, never waits. */
  notify(notification: Notification): void;
  /** Sends what waits, for at most timeoutMs; drops the rest. */
  close(options: { readonly timeoutMs: number }): Promise<void>;
}

/** One way to send; rejects where it was not taken. */
export interface NotificationDriver {
  send(message: NotificationMessage): Promise<void>;
  close(): Promise<void>;
}

/** Notifications that wait for the broker. */
export const BUFFER_LENGTH = 2_000;
/** Payloads that are read from the database at the same time. */
const LOADS = 2;
const PAUSE_MS = 500;

export function createNotifier(parts: {
  readonly drivers: readonly NotificationDriver[];
  /** How often one is sent again; -1: until it is taken. */
  readonly retry: number;
  readonly log: Logger;
  readonly bufferLength?: number;
}): Notifier {
  const { drivers, retry, log, bufferLength = BUFFER_LENGTH } = parts;
  const waiting: Promise<NotificationMessage | null>[] = [];
  const limited = createLimiter(LOADS);
  const closing = new AbortController();
  let pumping: Promise<void> | null = null;
  let isClosed = false;
  let dropped = 0;

  function drop(count: number): void {
    if (count === 0) return;
    if (dropped === 0) log.warn({ waiting: waiting.length }, 'notifications are dropped: too many wait for the broker');
    dropped += count;
    for (let n = 0; n < count; n += 1) measure({ what: 'notification', outcome: 'dropped' });
  }

  /** Null where it cannot be known what to say. */
  async function load({ payload, ...rest }: Notification, at: Date): Promise<NotificationMessage | null> {
    try {
      return { ...rest, id: randomUUID(), at, payload: await limited(payload) };
    } catch (error) {
      log.warn({ event: rest.eventType, reason: messageOf(error) }, 'notification not sent: its content is not known');
      measure({ what: 'notification', outcome: 'failed' });
      return null;
    }
  }

  async function send(driver: NotificationDriver, message: NotificationMessage): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await driver.send(message);
        measure({ what: 'notification', outcome: 'sent' });
        return;
      } catch (error) {
        if (closing.signal.aborted || (retry !== -1 && attempt >= retry)) {
          log.warn({ event: message.eventType, reason: messageOf(error) }, 'notification not sent');
          measure({ what: 'notification', outcome: 'failed' });
          return;
        }
        await sleep(PAUSE_MS, closing.signal);
      }
    }
  }

  async function pump(): Promise<void> {
    while (waiting.length > 0 && !closing.signal.aborted) {
      const message = await waiting.shift()!;
      if (message !== null) for (const driver of drivers) await send(driver, message);
      if (dropped > 0 && waiting.length < bufferLength / 2) {
        log.warn({ dropped }, 'notifications were dropped; they are sent again from now on');
        dropped = 0;
      }
    }
    pumping = null;
  }

  return {
    notify(notification) {
      if (isClosed) return;
      if (waiting.length >= bufferLength) return drop(1);
      waiting.push(load(notification, new Date()));
      pumping ??= pump();
    },
    async close({ timeoutMs }) {
      isClosed = true;
      if (pumping !== null) await settledWithin(pumping, timeoutMs);
      closing.abort();
      drop(waiting.splice(0).length);
      await Promise.all(drivers.map((driver) => driver.close()));
    },
  };
}
