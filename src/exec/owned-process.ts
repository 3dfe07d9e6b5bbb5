import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/logger.ts';
import { failure, messageOf } from '../model/errors.ts';

export interface OwnedProcessOptions {
  /** What people call it, for logs and errors: `PostgreSQL`, `tgtd`. */
  readonly name: string;
  /** Program (absolute, or found in PATH) and arguments. Never a secret: argv is public. */
  readonly argv: readonly [string, ...string[]];
  /** The whole environment; ours where not given. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the kernel sends it when we die: a signal that makes the program stop in good order. */
  readonly parentDeathSignal: NodeJS.Signals;
  /** Asked again and again until true. Must answer within a second or so. */
  readonly ready: (pid: number) => Promise<boolean>;
  readonly readyTimeoutMs: number;
  readonly log: Logger;
  /** Where stdout and stderr go (appended); without it each line goes to the log at level debug. */
  readonly outputFile?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface OwnedProcess {
  readonly pid: number;
  /** Settles when the process is gone, whoever ended it. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends the signal and waits; SIGKILL after the limit. Harmless when it is gone already. */
  stop(options: { readonly signal: NodeJS.Signals; readonly timeoutMs: number }): Promise<ProcessExit>;
}

/** How many of its last lines an error quotes. */
const QUOTED_LINES = 12;
const SETPRIV_PATHS = ['/usr/bin/setpriv', '/bin/setpriv', '/usr/local/bin/setpriv'];

/**
 * Starts a long-lived process that must not outlive us, and returns when it is ready.
 *
 * - On Linux the kernel signals it when the thread that started it ends, so start it from the main thread.
 * - It gets a session of its own: Ctrl-C on our terminal reaches us alone, and we decide when it stops.
 * - One that ends before it is ready, or is not ready in time, rejects with ServiceUnavailable and its last lines; it is
 *   gone then.
 */
export async function startOwnedProcess(options: OwnedProcessOptions): Promise<OwnedProcess> {
  const { name, log } = options;
  const output = await openOutput(options.outputFile);
  const argv = withParentDeathSignal(options.argv, options.parentDeathSignal);
  const child = spawn(argv[0], argv.slice(1), {
    detached: true,
    stdio: ['ignore', output.stdio, output.stdio],
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const exited = exitOf(child);
  output.follow(child, (line) => log.debug({ process: name }, line));
  try {
    await Promise.race([once(child, 'spawn'), once(child, 'error').then((error) => Promise.reject(error))]);
  } catch (error) {
    await output.close();
    throw failure('ServiceUnavailable', { reason: `${name} could not be started: ${messageOf(error)}` }, error);
  }
  const owned = own(child, exited);
  const trouble = await waitUntilReady(options, owned);
  if (trouble === null) {
    await output.close();
    return owned;
  }
  await owned.stop({ signal: 'SIGKILL', timeoutMs: 1_000 });
  const lines = await output.lastLines();
  await output.close();
  throw failure('ServiceUnavailable', {
    reason: `${name} ${trouble}${lines.length === 0 ? '.' : `. It said last:\n  ${lines.join('\n  ')}`}`,
  });
}

/** What went wrong while waiting, or null. */
async function waitUntilReady(options: OwnedProcessOptions, owned: OwnedProcess): Promise<string | null> {
  const deadline = performance.now() + options.readyTimeoutMs;
  let exit: ProcessExit | undefined;
  void owned.exited.then((value) => {
    exit = value;
  });
  for (let delayMs = 10; ; delayMs = Math.min(delayMs * 1.5, 250)) {
    if (exit !== undefined) return `ended before it was ready (${describeExit(exit)})`;
    if (await options.ready(owned.pid).catch(() => false)) return null;
    if (performance.now() > deadline) return `was not ready after ${options.readyTimeoutMs / 1000} s and was ended`;
    await Promise.race([sleep(delayMs), owned.exited]);
  }
}

function own(child: ChildProcess, exited: Promise<ProcessExit>): OwnedProcess {
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid!,
    exited,
    async stop({ signal, timeoutMs }) {
      if (!isGone()) child.kill(signal);
      const timer = new AbortController();
      const limit = sleep(timeoutMs, undefined, { signal: timer.signal }).then(
        () => 'late' as const,
        () => null,
      );
      if ((await Promise.race([exited, limit])) === 'late' && !isGone()) child.kill('SIGKILL');
      timer.abort();
      return exited;
    },
  };
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

/**
 * The command line under which the kernel sends the program that signal when we die. setpriv replaces itself by the
 * program, so the pid is the program's own. Where there is no setpriv, the command line as it is.
 */
export function withParentDeathSignal(
  argv: readonly [string, ...string[]],
  signal: NodeJS.Signals,
): [string, ...string[]] {
  const setpriv = SETPRIV_PATHS.find((path) => existsSync(path));
  return setpriv === undefined ? [...argv] : [setpriv, '--pdeathsig', signal.replace(/^SIG/, ''), '--', ...argv];
}

interface Output {
  readonly stdio: 'pipe' | number;
  follow(child: ChildProcess, onLine: (line: string) => void): void;
  lastLines(): Promise<readonly string[]>;
  close(): Promise<void>;
}

async function openOutput(path: string | undefined): Promise<Output> {
  if (path === undefined) return pipedOutput();
  const handle = await open(path, 'a+', 0o600);
  const from = (await handle.stat()).size;
  return {
    stdio: handle.fd,
    follow() {},
    lastLines: () => readTail(handle, from),
    close: () => handle.close(),
  };
}

function pipedOutput(): Output {
  const lines: string[] = [];
  return {
    stdio: 'pipe',
    follow(child, onLine) {
      for (const stream of [child.stdout, child.stderr]) {
        if (stream === null) continue;
        createInterface({ input: stream }).on('line', (line) => {
          lines.push(line);
          if (lines.length > QUOTED_LINES) lines.shift();
          onLine(line);
        });
      }
    },
    // One turn of the loop, so that lines that are in the pipe already are read.
    lastLines: () => sleep(20).then(() => lines),
    close: async () => {},
  };
}

async function readTail(handle: FileHandle, from: number): Promise<string[]> {
  const { size } = await handle.stat();
  const start = Math.max(from, size - 8192);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').filter(Boolean).slice(-QUOTED_LINES);
}

function once(child: ChildProcess, event: 'spawn' | 'error'): Promise<unknown> {
  return new Promise((resolve) => child.once(event, resolve));
}

function describeExit({ code, signal }: ProcessExit): string {
  return signal === null ? `exit status ${code}` : `signal ${signal}`;
}
