/** The pipes to the privileged helper's daemon, by sudo. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../log/logger.ts';

/** Where the daemon's bytes go in and out. `gone` settles with what was last heard, when it is. */
export interface HelperPipes {
  readonly input: Writable;
  readonly output: Readable;
  readonly gone: Promise<string>;
  /** Shuts the pipes: the daemon ends what still runs, and itself. */
  close(): void;
}

const KEPT_LINES = 10;

/** `ownSession` keeps Ctrl-C away from it, but there is no terminal to ask at then. */
export function openBySudo(argv: readonly [string, ...string[]], ownSession: boolean, log: Logger): HelperPipes {
  const child = spawn(argv[0], argv.slice(1), { detached: ownSession, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = followLog(child, log);
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(lines.join(' ') || `it ended with ${signal ?? `exit code ${code}`}`));
  });
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  return {
    input: child.stdin!,
    output: child.stdout!,
    gone,
    close: () => {
      child.stdin?.destroy();
      child.stdout?.destroy();
    },
  };
}

/** The helper's log goes into ours; its last lines are kept for the error, should it end. */
function followLog(child: ChildProcess, log: Logger): string[] {
  const lines: string[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!.slice(-10_000);
    for (const line of parts) {
      const [, level, message] = /^(info|warning): (.*)$/.exec(line) ?? [];
      if (level === 'info') log.debug({ helper: message }, 'privileged helper');
      else log.warn({ helper: message ?? line }, 'privileged helper');
      if (level === undefined) lines.push(line);
      lines.splice(0, lines.length - KEPT_LINES);
    }
  });
  return lines;
}
