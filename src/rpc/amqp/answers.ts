/** The server's side of calls: sends results, failures and signs of life to the queue that the caller named. */
import { randomUUID } from 'node:crypto';
import { sleep } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { messageOf } from '../../model/errors.ts';
import { encodeReply, type ReplyAddress } from '../envelope.ts';
import { encodeFailure } from '../wire-failure.ts';
import type { Publisher } from './publisher.ts';

export interface Answers {
  /** Sends one answer; retries while the caller's queue is missing. Never rejects. */
  answer(to: ReplyAddress, outcome: Outcome): Promise<void>;
  /** Says that the work goes on, as often as the caller wants to hear it, until the returned function is called. */
  keepAlive(to: ReplyAddress): () => void;
  close(): void;
}

export type Outcome = { readonly result: unknown } | { readonly thrown: unknown };

const RETRY_MS = 250;
/** A caller whose queue was missing for long is gone; its other answers are not tried again for so long. */
const IGNORED_MS = 60_000;
/** Whoever asks for answers to queues that do not exist cannot make us hold more than so many. */
const MAX_RETRIED = 1_000;

export function createAnswers(
  publisher: Publisher,
  { retryMs: patienceMs, log }: { readonly retryMs: number; readonly log: Logger },
): Answers {
  const ignored = new Map<string, number>();
  const closing = new AbortController();
  let retried = 0;

  async function publish(to: ReplyAddress, content: Buffer, deadlineMs: number) {
    return await publisher.publish({ to: { reply: to.queue }, content, id: newId(), deadlineMs });
  }

  async function deliver(to: ReplyAddress, content: Buffer): Promise<void> {
    const deadlineMs = performance.now() + patienceMs;
    if ((await publish(to, content, deadlineMs)) === 'routed') return;
    if (isIgnored(to.queue) || retried >= MAX_RETRIED) return drop(to, 'its queue does not exist');
    retried += 1;
    try {
      while (performance.now() < deadlineMs && !closing.signal.aborted) {
        await sleep(RETRY_MS, closing.signal);
        if ((await publish(to, content, deadlineMs)) === 'routed') return;
      }
    } finally {
      retried -= 1;
    }
    ignore(to.queue);
    drop(to, `its queue has not existed for ${patienceMs / 1000} s`);
  }

  function drop({ messageId, queue }: ReplyAddress, reason: string): void {
    log.warn({ call: messageId, queue, reason }, 'the caller is gone: its answer is dropped');
  }

  function isIgnored(queue: string): boolean {
    return (ignored.get(queue) ?? 0) > performance.now();
  }

  function ignore(queue: string): void {
    const now = performance.now();
    for (const [name, untilMs] of ignored) if (untilMs <= now || ignored.size > MAX_RETRIED) ignored.delete(name);
    ignored.set(queue, now + IGNORED_MS);
  }

  return {
    async answer(to, outcome) {
      try {
        await deliver(to, encode(to, outcome));
      } catch (error) {
        log.warn({ call: to.messageId, reason: messageOf(error) }, 'an answer could not be sent');
      }
    },
    keepAlive(to) {
      if (to.monitorSeconds === null) return () => undefined;
      // Neither busier than a caller can want, nor longer than a timer can wait.
      const everyMs = Math.min(Math.max(to.monitorSeconds * 500, 100), 3_600_000);
      const timer = setInterval(() => {
        const content = encodeReply({ ...replyTo(to), result: null, failure: null, ending: false });
        publish(to, content, performance.now() + everyMs).catch(() => undefined);
      }, everyMs);
      return () => clearInterval(timer);
    },
    close: () => closing.abort(),
  };
}

function encode(to: ReplyAddress, outcome: Outcome): Buffer {
  if ('thrown' in outcome) return encodeThrown(to, outcome.thrown);
  try {
    return encodeReply({ ...replyTo(to), result: outcome.result, failure: null, ending: true });
  } catch (error) {
    // A result that is no JSON is a mistake of ours; the caller hears of it all the same.
    return encodeThrown(to, error);
  }
}

function encodeThrown(to: ReplyAddress, thrown: unknown): Buffer {
  return encodeReply({ ...replyTo(to), result: null, failure: encodeFailure(thrown), ending: true });
}

function replyTo({ messageId }: ReplyAddress) {
  return { messageId, uniqueId: newId() };
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}
