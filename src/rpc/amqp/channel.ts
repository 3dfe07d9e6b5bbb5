/** A channel that is opened and set up again whenever it, or its connection, was lost. */
import { once } from 'node:events';
import type { Channel, ConfirmChannel } from 'amqplib';
import { backoffMs } from '../../lib/backoff.ts';
import { settledWithin, sleep, withTimeout } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure, messageOf } from '../../model/errors.ts';
import type { AmqpConnection } from './connection.ts';

export interface KeptChannel {
  /** The channel that stands, or the next one, within timeoutMs. Rejects with ConnectionFailed. */
  channel(timeoutMs: number): Promise<ConfirmChannel>;
  /** The channel that stands now. */
  current(): ConfirmChannel | null;
  /** Rejects when the broker refuses what we declare: trying again without a change helps little. */
  readonly refused: Promise<never>;
  close(): Promise<void>;
}

const SETUP_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2_000;
const PAUSE = { baseMs: 50, maxMs: 5_000 };
/** Access refused, not the same as what is there. */
const REFUSALS = [403, 406];

/** @param setUp declares and consumes; it runs for every new channel before anybody else gets it. */
export function keepChannel(
  connection: AmqpConnection,
  { name, setUp, log }: { readonly name: string; setUp(channel: ConfirmChannel): Promise<void>; readonly log: Logger },
): KeptChannel {
  const closing = new AbortController();
  const aborted = once(closing.signal, 'abort').then(() => undefined);
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => undefined);
  let next = Promise.withResolvers<ConfirmChannel>();
  next.promise.catch(() => undefined);
  let current: ConfirmChannel | null = null;
  let error: Error | null = null;

  async function keep(): Promise<void> {
    for (let attempt = 1; !closing.signal.aborted && !connection.isClosed(); attempt += 1) {
      try {
        const model = await Promise.race([connection.model(), aborted]);
        if (model === undefined) return;
        const channel = await model.createConfirmChannel();
        const closed = untilClosed(channel);
        await withTimeout(prepare(channel, closed), SETUP_TIMEOUT_MS, () => new Error('the broker does not answer'));
        [error, current] = [null, channel];
        next.resolve(channel);
        error = await closed;
        current = null;
        next = Promise.withResolvers();
        next.promise.catch(() => undefined);
        attempt = 0;
      } catch (failed) {
        error = failed instanceof Error ? failed : new Error(messageOf(failed));
        if (closing.signal.aborted || connection.isClosed()) return;
        log.warn({ channel: name, reason: error.message }, 'a channel to the broker cannot be set up; trying again');
        const refusal = refusalOf(error);
        if (refusal !== null) refused.reject(refusal);
      }
      await sleep(backoffMs(Math.max(1, attempt), PAUSE), closing.signal);
    }
  }

  async function prepare(channel: ConfirmChannel, closed: Promise<Error>): Promise<void> {
    try {
      await setUp(channel);
    } catch (failed) {
      // What the broker says when it closes the channel tells more than that the channel is closed.
      if (!(await isClosedSoon(closed))) {
        await end(channel);
        throw failed;
      }
      throw await closed;
    }
  }

  const kept = keep();
  return {
    current: () => current,
    refused: refused.promise,
    channel: (timeoutMs) =>
      withTimeout(next.promise, timeoutMs, () => {
        const reason = (error ?? connection.lastError())?.message ?? 'it does not answer';
        return failure('ConnectionFailed', { what: 'The message broker', reason }, error ?? connection.lastError());
      }),
    async close() {
      closing.abort();
      if (current !== null) await end(current);
      next.reject(failure('ConnectionFailed', { what: 'The message broker', reason: 'the transport is closed' }));
      await settledWithin(kept, CLOSE_TIMEOUT_MS);
    },
  };
}

/** Why it ended; `code` is the broker's where the broker ended it. */
function untilClosed(channel: Channel): Promise<Error> {
  return new Promise((resolve) => {
    let why: Error | null = null;
    channel.on('error', (error) => {
      why = error;
    });
    channel.on('close', () => resolve(why ?? new Error('the channel is closed')));
  });
}

async function isClosedSoon(closed: Promise<Error>): Promise<boolean> {
  return await withTimeout(closed, 100, () => new Error('late')).then(
    () => true,
    () => false,
  );
}

/** It may be closed already, or its connection may be. */
async function end(channel: Channel): Promise<void> {
  await settledWithin((async () => channel.close())(), CLOSE_TIMEOUT_MS);
}

/** What the broker will say again however often it is asked, with what to do about it; null for anything else. */
export function refusalOf(error: unknown): Error | null {
  if (!(error instanceof Error) || !REFUSALS.includes((error as { code?: number }).code ?? 0)) return null;
  const next =
    'Set amqp_durable_queues, amqp_auto_delete and the rabbit_ options as the other services of the cloud have them';
  return failure('ConnectionFailed', { what: 'The message broker', reason: `${error.message}. ${next}` }, error);
}
