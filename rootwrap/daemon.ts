/** The long form: requests come as frames on stdin, answers leave on stdout; it ends when stdin does. */
import { Socket } from 'node:net';
import { fileVerbs } from './files.ts';
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
import { type Ended, ended, endMarked, isOrphan, type Job, markOf, run } from './processes.ts';
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
/** The limit on open files is the kernel's business, not Node's. */
export const PRLIMIT = '/usr/bin/prlimit';
const RUNUSER = '/usr/sbin/runuser';
const SETPRIV = '/usr/bin/setpriv';

export async function serve(context: Context): Promise<never> {
  const log = createLog(context.settings);
  // A signal for the whole service reaches us too; we go when the service has gone.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const orphans = await endMarked(isOrphan);
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
    const request = Object(header) as RequestHeader;
    if (request.cancel === true) return running.get(id)?.abort('aborted');
    const startedAt = performance.now();
    const { stdout, stderr, ...how } = await attempt(id, request, body);
    const durationMs = performance.now() - startedAt;
    const result = how.exitCode === null ? `${how.outcome} ${how.detail}` : `exit code ${how.exitCode}`;
    const line = `${describe(isArgv(request.argv) ? request.argv : ['?'])}: ${result}, ${Math.round(durationMs)} ms`;
    log(how.outcome === 'refused' ? 'warning' : 'info', line);
    send(id, { ...how, stdoutBytes: stdout.length, durationMs } satisfies AnswerHeader, stdout, stderr);
  }

  async function attempt(id: number, request: RequestHeader, body: Buffer): Promise<Ended> {
    if (!isArgv(request.argv) || !(Number(request.timeoutMs) > 0) || running.has(id))
      return ended('refused', 'the request cannot be read');
    if (running.size >= MAX_RUNNING) return ended('refused', `${MAX_RUNNING} commands run already`);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort('timeout'), atMost(MAX_TIMEOUT_MS, request.timeoutMs));
    running.set(id, controller);
    try {
      const limitBytes = atMost(MAX_OUTPUT_BYTES, request.outputLimitBytes);
      const job = { input: body, limitBytes, mark: `${own}${id}` };
      return await perform(request.argv, job, request.diesWithUs === true, controller.signal, context);
    } catch (error) {
      // What cannot even be started (a list of arguments too long for the kernel) is an answer too.
      return ended('missing', String(error));
    } finally {
      clearTimeout(timer);
      running.delete(id);
    }
  }

  input.on(
    'data',
    createFrameReader(MAX_REQUEST_BYTES, (frame) => void answer(frame)),
  );
  const closed = new Promise((resolve) => {
    for (const event of ['end', 'error', 'close']) input.once(event, resolve);
    output.once('error', resolve);
  });
  send(0, { ready: true, pid: process.pid });
  await closed;
  // Nobody waits for an answer any more: what still runs ends, gently where that works.
  if (running.size > 0) await endMarked((mark) => mark.startsWith(own));
  for (const controller of running.values()) controller.abort('aborted');
  process.exit(0);
}

/** What one command comes to. */
async function perform(
  argv: readonly string[],
  job: Omit<Job, 'argv' | 'env'>,
  diesWithUs: boolean,
  signal: AbortSignal,
  context: Context,
) {
  const decision = decide(context.filters, argv, context.look);
  switch (decision.kind) {
    case 'refused':
      return ended('refused', 'no filter allows it (rootwrap.d)');
    case 'not found':
      return ended('missing', `no program '${decision.program}' in exec_dirs that root alone can change`);
    case 'verb':
      return performVerb(decision, job.input, signal);
    case 'run': {
      const setpriv = diesWithUs ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : [];
      const words = [...setpriv, ...asUser(decision, context.settings)];
      return run({ ...job, argv: words, env: { ...context.env, ...decision.env } }, signal);
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
    return ended('exit', '', name === '@tgt' ? await askTgtd(args, input, signal) : fileVerbs[name]!(args, input));
  } catch (error) {
    if (signal.aborted && typeof signal.reason === 'string') return ended(signal.reason as Ended['outcome']);
    const { code, message } = error as NodeJS.ErrnoException;
    return { ...ended('exit'), exitCode: 1, stderr: Buffer.from(`${name}: ${code ?? message}\n`) };
  }
}

function isArgv(argv: unknown): argv is readonly string[] {
  return Array.isArray(argv) && argv.every((word) => typeof word === 'string');
}

function atMost(limit: number, asked: unknown): number {
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, limit) : limit;
}
