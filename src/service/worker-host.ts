/** The inside of a forked worker: starts the service that its parent asks for, and ends with it, by order, or with the parent. */
import { withTimeout } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { RunningService } from './service.ts';
import { handleSignals, type SignalSource } from './signals.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A service in a worker of its own. */
export interface HostedService extends RunningService {
  readonly log: Logger;
  /** What a TERM to the worker itself gives it. */
  readonly drainMs: number;
  /** Takes mutable options over. */
  configure?(settings: Readonly<Record<string, unknown>>): void;
  report?(): void;
}

/** What the starting service is given. */
export interface WorkerTools {
  /** Says where it stands; the first time means: it serves. */
  tell(state: 'up' | 'down', reason?: string | null): void;
  /** Runs before the process ends at once: commands under way must not outlive it. Gets a second. */
  onHalt(act: () => Promise<void>): void;
}

export type StartHosted = (settings: Readonly<Record<string, unknown>>, tools: WorkerTools) => Promise<HostedService>;

export interface WorkerChannel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** The parent is gone. */
  onGone(listener: () => void): void;
}

/** What is done before an end at once may take this long: the whole has to be over within two seconds. */
const HALT_ACTS_MS = 1200;

/** A start that fails the same way until the configuration is another. */
export class LastingFailure extends Error {
  override readonly name = 'LastingFailure';
}

export function hostWorker(options: {
  readonly channel: WorkerChannel;
  readonly start: StartHosted;
  readonly exit: (code: number) => void;
  readonly signals?: SignalSource;
}): void {
  const { channel, exit } = options;
  const atHalt: (() => Promise<void>)[] = [];
  let isHalting = false;
  let service: HostedService | null = null;
  let isEnding = false;

  const halt = (code: number) => {
    if (isHalting) return;
    isHalting = true;
    isEnding = true;
    const acts = Promise.allSettled(atHalt.map((act) => act()));
    void withTimeout(acts, HALT_ACTS_MS, () => new Error('late')).then(
      () => exit(code),
      () => exit(code),
    );
  };
  const stop = async (timeoutMs: number) => {
    if (isEnding) return;
    isEnding = true;
    // Still starting: there is nothing to drain.
    if (service === null) return halt(0);
    try {
      await service.stop({ timeoutMs });
    } catch (error) {
      service.log.error({ reason: messageOf(error) }, 'did not stop cleanly');
    }
    halt(0);
  };
  const start = async (settings: Readonly<Record<string, unknown>>) => {
    try {
      service = await options.start(settings, {
        tell: (state, reason = null) => {
          if (!isEnding) channel.send({ kind: 'state', state, reason });
        },
        onHalt: (act) => void atHalt.push(act),
      });
    } catch (error) {
      if (isEnding) return;
      channel.send({ kind: 'failed', reason: messageOf(error), lasting: error instanceof LastingFailure });
      halt(1);
    }
  };

  // First of all: a parent may be gone before it has said a word.
  channel.onGone(() => halt(1));
  channel.onMessage((message) => {
    if (message.kind === 'start') void start(message.settings);
    else if (message.kind === 'configure') service?.configure?.(message.settings);
    else if (message.kind === 'report') service?.report?.();
    else if (message.kind === 'stop') void stop(message.timeoutMs);
    else halt(0);
  });
  handleSignals(
    {
      onStop: () => void stop(service?.drainMs ?? 0),
      onHalt: halt,
      onReload: () => service?.log.warn({}, 'HUP goes to the parent: it reads the configuration and tells us'),
      onReport: () => service?.report?.(),
    },
    options.signals ?? process,
  );
}
