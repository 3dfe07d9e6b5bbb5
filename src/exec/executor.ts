import { accessSync, constants } from 'node:fs';
import { basename } from 'node:path';
import { type Options as ExecaOptions, execa } from 'execa';
import { type Command, CommandError, type CommandResult, type Executor } from '../driver/executor.ts';
import { createLimiter } from '../lib/bounded.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Logger } from '../log/logger.ts';
import { maskArguments, maskText } from './mask.ts';

export interface LocalExecutorOptions {
  readonly log: Logger;
  /** How a privileged command gets its rights: we are root; `sudo -n`; not at all (it is refused). */
  readonly privileged: 'root' | 'sudo' | 'none';
  /** Commands that run at the same time; further ones wait their turn. */
  readonly atOnce?: number;
}

/** What every command sees. sbin is in it: the tools of storage live there. */
export const COMMAND_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const DEFAULT_AT_ONCE = 16;
const DEFAULT_OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;
const QUOTED_STDERR_CHARACTERS = 600;

/**
 * Runs commands as children of this process. Each gets a session of its own, which is killed as a whole (SIGKILL) at the
 * deadline, at the output limit and at an abort. The deadline counts from the start, not from the wait for a free place.
 * Fail points: `exec.<program>.before` and `exec.<program>.after`.
 */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const limit = createLimiter(options.atOnce ?? DEFAULT_AT_ONCE);
  return { run: (command) => limit(() => runCommand(command, options)) };
}

/** Absolute path of a program in COMMAND_PATH (a path stays as it is), or null where it is not installed. */
export function pathOf(program: string): string | null {
  const candidates = program.includes('/')
    ? [program]
    : COMMAND_PATH.split(':').map((directory) => `${directory}/${program}`);
  return candidates.find(isExecutable) ?? null;
}

async function runCommand(command: Command, { log, privileged }: LocalExecutorOptions): Promise<CommandResult> {
  const program = basename(command.argv[0]);
  failpoint(`exec.${program}.before`);
  const ended = await runProcess(command, privileged);
  const { result, stop } = ended;
  log.debug(
    {
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

/** How a command ended. `stop` is why it has no exit code of its own. */
interface Ended {
  readonly result: CommandResult;
  readonly stop: null | 'timeout' | 'output limit' | 'aborted' | 'missing' | 'refused' | 'signal';
  readonly detail: string;
  readonly cause?: unknown;
}

async function runProcess(command: Command, privileged: LocalExecutorOptions['privileged']): Promise<Ended> {
  const startedAt = performance.now();
  const never = (stop: Ended['stop'], detail: string, cause?: unknown): Ended => ({
    result: { exitCode: -1, stdout: '', stderr: '', durationMs: performance.now() - startedAt },
    stop,
    detail,
    cause,
  });
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
  const end = (why: Ended['stop']) => {
    if (stop !== null) return;
    stop = why;
    killGroup(child.pid, launch.sudo);
    // A process that left the group may still hold the pipes: its output is no longer waited for.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const onAbort = () => end('aborted');
  const timer = setTimeout(() => end('timeout'), command.timeoutMs);
  command.signal?.addEventListener('abort', onAbort);
  const output = collect(child, command.outputLimitBytes ?? DEFAULT_OUTPUT_LIMIT_BYTES, () => end('output limit'));
  try {
    const { exitCode, signal, cause } = await child;
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
    command.signal?.removeEventListener('abort', onAbort);
  }
}

type Launch = { readonly file: string; readonly arguments: readonly string[]; readonly sudo: boolean };
type Refusal = { readonly refused: 'missing' | 'refused'; readonly detail: string };

/** What is really started: the program itself, or sudo or setpriv before it. */
function launchOf(command: Command, privileged: LocalExecutorOptions['privileged']): Launch | Refusal {
  const [program, ...rest] = command.argv;
  const path = pathOf(program);
  if (path === null) {
    return {
      refused: 'missing',
      detail: `no program '${program}' in ${COMMAND_PATH}; install the package that has it`,
    };
  }
  const setpriv = command.diesWithUs === true ? pathOf('setpriv') : null;
  const argv = setpriv === null ? [path, ...rest] : [setpriv, '--pdeathsig', 'KILL', '--', path, ...rest];
  if (command.privileged !== true || privileged === 'root') {
    return { file: argv[0]!, arguments: argv.slice(1), sudo: false };
  }
  const sudo = privileged === 'sudo' ? pathOf('sudo') : null;
  if (sudo === null) {
    return {
      refused: 'refused',
      detail: 'it needs root; run the service as root, or let its user run it by sudo without a password',
    };
  }
  // sudo clears the environment, so it is set again behind it.
  const env = Object.entries({ LC_ALL: 'C', ...command.env }).map(([name, value]) => `${name}=${value}`);
  return { file: sudo, arguments: ['-n', '--', pathOf('env') ?? 'env', ...env, ...argv], sudo: true };
}

/** The error that the outcome is, or null where it is an answer. */
function judge(command: Command, { result, stop, detail, cause }: Ended): CommandError | null {
  const name = maskArguments(command.argv).join(' ');
  const stderr = quoted(result.stderr);
  switch (stop) {
    case null: {
      if ((command.okExitCodes ?? [0]).includes(result.exitCode)) return null;
      // sudo's own refusals come with its name before them and exit code 1.
      const bySudo = command.privileged === true && result.exitCode === 1 && /^sudo: /.test(result.stderr);
      const text = `exit code ${result.exitCode}`;
      return new CommandError(name, bySudo ? 'refused' : 'exit', { result, text, stderr });
    }
    case 'missing':
    case 'refused':
      return new CommandError(name, stop, { result: null, text: 'nothing run', stderr: detail }, cause);
    case 'timeout':
      return new CommandError(name, stop, {
        result: null,
        text: `a kill at its deadline of ${command.timeoutMs / 1000} s, its effect is unknown`,
        stderr,
      });
    case 'output limit':
      return new CommandError(name, stop, { result: null, text: 'a kill for too much output', stderr });
    case 'aborted':
      return new CommandError(name, stop, { result: null, text: 'an abort by the caller', stderr: detail || stderr });
    case 'signal':
      return new CommandError(name, stop, { result: null, text: `signal ${detail}`, stderr });
  }
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
function killGroup(pid: number | undefined, bySudo: boolean): void {
  if (pid === undefined) return;
  if (bySudo) {
    // We may not signal root's processes.
    const kill = ['-n', '--', pathOf('kill') ?? 'kill', '-KILL', '--', `-${pid}`];
    execa(pathOf('sudo') ?? 'sudo', kill, { reject: false, stdio: 'ignore', timeout: 5_000 }).catch(() => {});
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The end of what the tool said on stderr: that is where it gives the reason. */
function quoted(stderr: string): string {
  const text = maskText(stderr.trim());
  if (text === '') return 'it said nothing';
  return text.length <= QUOTED_STDERR_CHARACTERS ? text : `…${text.slice(-QUOTED_STDERR_CHARACTERS)}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
