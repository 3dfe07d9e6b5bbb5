/** Starting the privileged helper's daemon, and speaking with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnswerHeader,
  createFrameReader,
  encodeFrame,
  type Frame,
  type RequestHeader,
} from '../../rootwrap/frames.ts';
import type { Logger } from '../log/logger.ts';
import { pathOf } from './executor.ts';
import { type HelperPipes, openBySudo } from './helper-pipes.ts';
import { promptForHelper } from './prompt.ts';

export interface HelperLaunch {
  /** The program with what stands before the command: `/usr/bin/ashlar-rootwrap /etc/ashlar/rootwrap.conf`. */
  readonly command: readonly [string, ...string[]];
  /** Whom to ask for a password where sudo does not go without: the person at our terminal or desktop, or nobody. */
  readonly ask: 'terminal' | 'desktop' | null;
  readonly log: Logger;
}

export interface Answer {
  readonly header: AnswerHeader;
  readonly stdout: string;
  readonly stderr: string;
}

/** A daemon that is ready. */
export interface Helper {
  /** Null where the daemon was lost before it answered. */
  ask(request: RequestHeader, input: Buffer, signal: AbortSignal | undefined): Promise<Answer | null>;
  readonly gone: Promise<string>;
  close(): void;
}

const READY_MS = 15_000;
const PERSON_MS = 180_000;
const MAX_ANSWER_BYTES = 80 * 1024 * 1024;
/** How long after its deadline a command's answer may take; then the daemon hangs. */
const GRACE_MS = 15_000;

/** Starts it through sudo. Rejects with what sudo or the helper said. */
export async function startHelper({ command, ask, log }: HelperLaunch): Promise<Helper> {
  const words = [...command, '--daemon'] as const;
  const sudo = pathOf('sudo');
  if (sudo !== null) {
    try {
      return await converse(openBySudo([sudo, '-n', '--', ...words], true, log), READY_MS);
    } catch (error) {
      if (ask === null || !/password|terminal/.test(String(error))) throw error;
    }
  }
  log.info({}, `asking the person at the ${ask} for the right to start the privileged helper`);
  if (ask === 'terminal' && sudo !== null) {
    return await converse(openBySudo([sudo, '--', ...words], false, log), PERSON_MS);
  }
  if (ask === 'desktop') return await converse(await promptForHelper(words), PERSON_MS);
  throw new Error('there is no sudo: install it, or run the service as root');
}

/** Waits for the daemon's first frame. */
async function converse(pipes: HelperPipes, limitMs: number): Promise<Helper> {
  const pending = new Map<number, (answer: Answer | null) => void>();
  let markReady = () => {};
  const ready = new Promise<'ready'>((resolve) => {
    markReady = () => resolve('ready');
  });
  const onFrame = (frame: Frame) => {
    if (frame.id === 0) return markReady();
    const answer = readAnswer(frame);
    const settle = pending.get(frame.id);
    pending.delete(frame.id);
    settle?.(answer);
  };
  pipes.output.on('data', createFrameReader(MAX_ANSWER_BYTES, onFrame));
  for (const stream of [pipes.input, pipes.output]) stream.on('error', () => {});
  let giveUp = (_why: string) => {};
  const givenUp = new Promise<string>((resolve) => {
    giveUp = resolve;
  });
  const gone = Promise.race([pipes.gone, givenUp]).then((why) => {
    pipes.close();
    for (const settle of pending.values()) settle(null);
    pending.clear();
    return why;
  });
  const timer = new AbortController();
  const late = sleep(limitMs, `it was not ready after ${limitMs / 1000} s`, { signal: timer.signal });
  const first = await Promise.race([ready, gone, late]);
  late.catch(() => {});
  timer.abort();
  if (first !== 'ready') {
    pipes.close();
    throw new Error(first);
  }
  let lastId = 0;
  return {
    gone,
    close: pipes.close,
    async ask(request, input, signal) {
      lastId = (lastId % 0xffff_fffe) + 1;
      const id = lastId;
      const send = (header: RequestHeader, body: Buffer) => pipes.input.write(encodeFrame(id, header, body));
      const cancel = () => send({ cancel: true }, Buffer.alloc(0));
      // Holds the process up while an answer is due, which the daemon itself does not.
      const limit = Math.min((request.timeoutMs ?? 0) + GRACE_MS, 2 ** 31 - 1);
      const overdue = setTimeout(() => giveUp('it did not answer in time and was given up'), limit);
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        return await new Promise<Answer | null>((resolve) => {
          pending.set(id, resolve);
          if (pipes.input.destroyed || !pipes.input.writable) resolve(null);
          else send(request, input);
        });
      } finally {
        clearTimeout(overdue);
        signal?.removeEventListener('abort', cancel);
      }
    },
  };
}

function readAnswer({ header, body }: Frame): Answer | null {
  if (typeof header !== 'object' || header === null) return null;
  const answer = header as AnswerHeader;
  return {
    header: answer,
    stdout: body.toString('utf8', 0, answer.stdoutBytes),
    stderr: body.toString('utf8', answer.stdoutBytes),
  };
}
