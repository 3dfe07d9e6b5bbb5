import { accessSync, constants } from 'node:fs';
import { basename } from 'node:path';
import { type Options as ExecaOptions, execa } from 'execa';
import type { Command, CommandResult, Executor } from '../driver/executor.ts';
import { createLimiter } from '../lib/bounded.ts';
import { failpoint } from '../lib/failpoint.ts';
import { currentFlight } from '../lib/flight.ts';
import type { Logger } from '../log/logger.ts';
import { maskArguments } from './mask.ts';
import { type NotedCommand, noteCommand } from './note-command.ts';
import { type Ended, endedWithout, judge } from './outcome.ts';

export interface LocalExecutorOptions {
  readonly log: Logger;
  /** Whether a privileged command may run here: we are root; it is refused. */
  readonly privileged: 'root' | 'none';
  /** Commands that run at the same time; further ones wait their turn. */
  readonly atOnce?: number;
}

/** What every command sees. sbin is in it: the tools of storage live there. */
export const COMMAND_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const DEFAULT_AT_ONCE = 16;
/** A process that waits in the kernel for a device does not end by SIGKILL: after so long nobody waits for it any more. */
const END_LIMIT_MS = 5_000;
const LEFT_BEHIND = 'it does not end, the kernel lets it wait, probably for a device; look with dmesg and dmsetup info';
const DEFAULT_OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;
const NO_RIGHTS = 'it needs root; run the service as root, or let its user run the privileged helper (etc/sudoers.d)';

/**
 * Runs commands as children of this process. Each gets a session of its own, which is killed as a whole (SIGKILL) at the
 * deadline, at the output limit and at an abort. The deadline counts from the start, not from the wait for a free place.
 * Fail points: `exec.<program>.before` and `exec.<program>.after`.
 */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const limit = createLimiter(options.atOnce ?? DEFAULT_AT_ONCE);
  return {
    run: (command) => {
      const noted = noteCommand(command);
      return limit(() => conduct(command, noted, options.log, () => runProcess(command, options.privileged)));
    },
  };
}

/** Absolute path of a program in COMMAND_PATH (a path stays as it is), or null where it is not installed. */
export function pathOf(program: string): string | null {
  const candidates = program.includes('/')
    ? [program]
    : COMMAND_PATH.split(':').map((directory) => `${directory}/${program}`);
  return candidates.find(isExecutable) ?? null;
}

/** What every way of running a command has around it: fail points, flight data, a line in the log, the judgement. */
export async function conduct(
  command: Command,
  noted: NotedCommand,
  log: Logger,
  run: () => Promise<Ended>,
): Promise<CommandResult> {
  const program = basename(command.argv[0]);
  failpoint(`exec.${program}.before`);
  noted.started();
  const ended = await run();
  noted.ended(ended);
  const { result, stop } = ended;
  const requestId = currentFlight()?.requestId;
  log.debug(
    {
      ...(requestId == null ? {} : { request_id: requestId }),
      command: maskArguments(command.argv),
      privileged: command.privileged === true,
      durationMs: Math.round(result.durationMs),
      ...(stop === null ? { exitCode: result.exitCode } : { stopped: stop }),
    },
    'command ended',
  );
  failpoint(`exec.${program}.after`);
  const error = judge(command, ended);
  if (error !== null) throw error;
  return result;
}

async function runProcess(command: Command, privileged: LocalExecutorOptions['privileged']): Promise<Ended> {
  const startedAt = performance.now();
  const never = (stop: NonNullable<Ended['stop']>, detail: string) => endedWithout(startedAt, stop, detail);
  if (command.signal?.aborted === true) return never('aborted', 'it was not started, the caller gave up before');
  const launch = launchOf(command, privileged);
  if ('refused' in launch) return never(launch.refused, launch.detail);

  const settings = {
    reject: false,
    detached: true,
    // Ours to collect, in bytes over both streams; execa would count characters and kill the first process alone.
    buffer: false,
    encoding: 'buffer',
    extendEnv: false,
    env: { PATH: COMMAND_PATH, LC_ALL: 'C', ...command.env },
    cwd: '/',
    cleanup: false,
    ...(command.input === undefined ? { stdin: 'ignore' } : { input: command.input }),
  } as const satisfies ExecaOptions;
  const child = execa(launch.file, launch.arguments, settings);

  let stop: Ended['stop'] = null;
  let patience: NodeJS.Timeout | undefined;
  const leftBehind = Promise.withResolvers<null>();
  const end = (why: Ended['stop']) => {
    if (stop !== null) return;
    stop = why;
    killGroup(child.pid);
    patience = setTimeout(() => leftBehind.resolve(null), END_LIMIT_MS);
    // A process that left the group may still hold the pipes: its output is no longer waited for.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const onAbort = () => end('aborted');
  const timer = setTimeout(() => end('timeout'), command.timeoutMs);
  command.signal?.addEventListener('abort', onAbort);
  const output = collect(child, command.outputLimitBytes ?? DEFAULT_OUTPUT_LIMIT_BYTES, () => end('output limit'));
  try {
    const settled = await Promise.race([child, leftBehind.promise]);
    if (settled === null) {
      const { result } = endedWithout(startedAt, stop!, '');
      return { result: { ...result, stderr: LEFT_BEHIND }, stop, detail: '' };
    }
    const { exitCode, signal, cause } = settled;
    const result: CommandResult = {
      exitCode: exitCode ?? -1,
      stdout: output.stdout(),
      stderr: output.stderr(),
      durationMs: performance.now() - startedAt,
    };
    if (stop !== null) return { result, stop, detail: '' };
    if (signal !== undefined) return { result, stop: 'signal', detail: signal };
    if (exitCode === undefined) return { result, stop: 'missing', detail: 'it could not be started', cause };
    return { result, stop: null, detail: '' };
  } finally {
    clearTimeout(timer);
    clearTimeout(patience);
    command.signal?.removeEventListener('abort', onAbort);
  }
}

type Launch = { readonly file: string; readonly arguments: readonly string[] };
type Refusal = { readonly refused: 'missing' | 'refused'; readonly detail: string };

/** What is really started: the program itself, or setpriv before it. */
function launchOf(command: Command, privileged: LocalExecutorOptions['privileged']): Launch | Refusal {
  const [program, ...rest] = command.argv;
  const path = pathOf(program);
  if (path === null) {
    return {
      refused: 'missing',
      detail: `no program '${program}' in ${COMMAND_PATH}; install the package that has it`,
    };
  }
  if (command.privileged === true && privileged === 'none') return { refused: 'refused', detail: NO_RIGHTS };
  const setpriv = command.diesWithUs === true ? pathOf('setpriv') : null;
  if (setpriv === null) return { file: path, arguments: rest };
  return { file: setpriv, arguments: ['--pdeathsig', 'KILL', '--', path, ...rest] };
}

interface Streams {
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
}

/** Gathers both streams, together up to the limit; one byte more calls onTooMuch. */
function collect(child: Streams, limitBytes: number, onTooMuch: () => void) {
  let bytes = 0;
  const gather = (stream: NodeJS.ReadableStream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) onTooMuch();
      else chunks.push(chunk);
    });
    stream.on('error', () => {});
    return () => Buffer.concat(chunks).toString('utf8');
  };
  return { stdout: gather(child.stdout), stderr: gather(child.stderr) };
}

/** Ends a session's whole process group. One that is gone is fine. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
