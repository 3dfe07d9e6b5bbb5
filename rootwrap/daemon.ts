/** The long form: requests come as frames on stdin, answers leave on stdout; it ends when stdin does. */
import { Socket } from 'node:net';
import { fileVerbs, VerbError } from './files.ts';
import type { Filter, Settings } from './filters.ts';
import {
  type AnswerHeader,
  createFrameReader,
  encodeFrame,
  type Frame,
  MAX_REQUEST_BYTES,
  type RequestHeader,
} from './frames.ts';
import { createLog, describe } from './log.ts';
import { decide, type Look, type Run } from './match.ts';
import { type Ended, ended, endMarked, isOrphan, markOf, run } from './processes.ts';
import { askTgtd } from './tgt.ts';

export interface Context {
  readonly settings: Settings;
  readonly filters: readonly Filter[];
  readonly look: Look;
  /** What every command gets as environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Commands at once; more are refused, so that a flood costs nobody anything. */
const MAX_RUNNING = 64;
/** Answers that nobody has read yet; above it no further request is read. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const END_LIMIT_MS = 4_000;
/** The limit on open files is the kernel's business, not Node's. */
export const PRLIMIT = '/usr/bin/prlimit';
const RUNUSER = '/usr/sbin/runuser';
const SETPRIV = '/usr/bin/setpriv';

export async function serve(context: Context): Promise<never> {
  const log = createLog(context.settings);
  // A signal for the whole service reaches us too; we go when the service has gone.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const orphans = await endMarked(isOrphan, END_LIMIT_MS);
  if (orphans > 0) log('warning', `ended ${orphans} processes of a helper that was killed`);
  const own = markOf(process.pid);
  const input = new Socket({ fd: 0, writable: false });
  const output = new Socket({ fd: 1, readable: false });
  const running = new Map<number, AbortController>();
  const send = (id: number, header: object, ...body: readonly Buffer[]) => {
    output.write(encodeFrame(id, header, ...body));
    if (output.writableLength > MAX_UNREAD_BYTES) input.pause();
  };
  output.on('drain', () => input.resume());

  async function answer({ id, header, body }: Frame): Promise<void> {
    const request = readRequest(header);
    if (request === 'cancel') return running.get(id)?.abort('aborted');
    const startedAt = performance.now();
    const reply = ({ stdout, stderr, ...rest }: Ended) => {
      const durationMs = performance.now() - startedAt;
      const how = rest.exitCode === null ? `${rest.outcome} ${rest.detail}` : `exit code ${rest.exitCode}`;
      const line = `${describe(request?.argv ?? ['?'])}: ${how}, ${Math.round(durationMs)} ms`;
      log(rest.outcome === 'refused' ? 'warning' : 'info', line);
      send(id, { ...rest, stdoutBytes: stdout.length, durationMs } satisfies AnswerHeader, stdout, stderr);
    };
    if (request === null || running.has(id)) return reply(ended('refused', 'the request cannot be read'));
    if (running.size >= MAX_RUNNING) return reply(ended('refused', `${MAX_RUNNING} commands run already`));
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort('timeout'), request.timeoutMs);
    running.set(id, controller);
    // What cannot even be started (a list of arguments too long for the kernel) is an answer too.
    const failed = (error: unknown) => ended('missing', String(error));
    reply(await perform(request, body, `${own}.${id}`, controller.signal, context).catch(failed));
    clearTimeout(timer);
    running.delete(id);
  }

  const reader = createFrameReader(MAX_REQUEST_BYTES, (frame) => void answer(frame));
  input.on('data', reader);
  const closed = new Promise((resolve) => {
    for (const event of ['end', 'error', 'close']) input.once(event, resolve);
    output.once('error', resolve);
  });
  send(0, { ready: true, pid: process.pid });
  await closed;
  // Nobody waits for an answer any more: what still runs ends, gently where that works.
  if (running.size > 0) await endMarked((mark) => mark.startsWith(`${own}.`), END_LIMIT_MS);
  for (const controller of running.values()) controller.abort('aborted');
  process.exit(0);
}

type Request = Required<Omit<RequestHeader, 'cancel'>>;

async function perform(
  request: Request,
  input: Buffer,
  mark: string,
  signal: AbortSignal,
  { settings, filters, look, env }: Context,
): Promise<Ended> {
  const { argv, outputLimitBytes, diesWithUs } = request;
  const decision = decide(filters, argv, look);
  switch (decision.kind) {
    case 'refused':
      return ended('refused', 'no filter allows it (rootwrap.d)');
    case 'not found':
      return ended('missing', `no program '${decision.program}' in exec_dirs that root alone can change`);
    case 'verb':
      return performVerb(decision, input, signal);
    case 'run': {
      const setpriv = diesWithUs ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : [];
      const words = [...setpriv, ...asUser(decision, settings)];
      return run({ argv: words, env: { ...env, ...decision.env }, input, outputLimitBytes, mark }, signal);
    }
  }
}

/** The command line, as the filter's user, whose limits PAM would set otherwise. */
export function asUser({ filter, argv }: Run, { rlimitNofile }: Settings): readonly string[] {
  if (filter.runAs === 'root') return argv;
  return [RUNUSER, '-u', filter.runAs, '--', PRLIMIT, `--nofile=${rlimitNofile}:`, ...argv];
}

/** A verb that fails has exit code 1 and says why on stderr, like a program. */
export async function performVerb({ argv: [name, ...args] }: Run, input: Buffer, signal: AbortSignal): Promise<Ended> {
  try {
    if (name === '@tgt') return ended('exit', '', await askTgtd(args, input, signal));
    const verb = fileVerbs[name];
    return verb === undefined ? ended('missing', `there is no verb ${name}`) : ended('exit', '', verb(args, input));
  } catch (error) {
    if (signal.aborted && typeof signal.reason === 'string') return ended(signal.reason as Ended['outcome'], '');
    const { code, message } = error as NodeJS.ErrnoException;
    const text = error instanceof VerbError ? message : (code ?? message);
    return { ...ended('exit', ''), exitCode: 1, stderr: Buffer.from(`${name}: ${text}\n`) };
  }
}

/** Null for what makes no sense. */
function readRequest(header: unknown): Request | 'cancel' | null {
  const { argv, timeoutMs, outputLimitBytes = MAX_OUTPUT_BYTES, cancel, diesWithUs = false } = Object(header);
  if (cancel === true) return 'cancel';
  const isArgv = Array.isArray(argv) && argv.every((word) => typeof word === 'string');
  const arePositive = [timeoutMs, outputLimitBytes].every((value) => typeof value === 'number' && value > 0);
  if (!isArgv || !arePositive) return null;
  return {
    argv,
    timeoutMs: Math.min(timeoutMs, MAX_TIMEOUT_MS),
    outputLimitBytes: Math.min(outputLimitBytes, MAX_OUTPUT_BYTES),
    diesWithUs: diesWithUs === true,
  };
}
