/** The host's end of test/kernel/image/agent.ts. */
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface GuestResult {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface GuestCommand {
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export type RunInGuest = (argv: readonly [string, ...string[]], command: GuestCommand) => Promise<GuestResult>;

/** The guest kills a command at its limit; it has this long to say so. */
const GRACE_MS = 20_000;

export function openAgent(socket: Socket): { readonly ready: Promise<void>; readonly run: RunInGuest } {
  const waiting = new Map<number, (answer: GuestResult) => void>();
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  let lastId = 0;
  const lines = createInterface({ input: socket });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const answer = JSON.parse(line) as GuestResult & { readonly id?: number };
    if (answer.id === undefined) return isReady();
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const run: RunInGuest = (argv, { timeoutMs, env, input }) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const settle = (end: () => void) => {
        clearTimeout(timer);
        socket.off('close', onClose);
        waiting.delete(id);
        end();
      };
      const onClose = () => settle(() => reject(new Error(`the VM ended during ${argv.join(' ')}`)));
      const timer = setTimeout(
        () => settle(() => reject(new Error(`the VM did not answer: ${argv.join(' ')}`))),
        timeoutMs + GRACE_MS,
      );
      if (socket.destroyed) return onClose();
      socket.once('close', onClose);
      waiting.set(id, (answer) => settle(() => resolve(answer)));
      socket.write(`${JSON.stringify({ id, argv, env, input, timeoutMs })}\n`);
    });
  return { ready, run };
}
