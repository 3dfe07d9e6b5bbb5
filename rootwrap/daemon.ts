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
import { describe, type Log } from './log.ts';
import { type Decision, decide, type Look } from './match.ts';
import { type Ended, ended, endOrphans, marked, ownMark, run, signalTo } from './processes.ts';
import { askTgtd } from './tgt.ts';

export interface Context {
  readonly settings: Settings;
  readonly filters: readonly Filter[];
  readonly look: Look;
  /** What every command gets as environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** Commands at once; more are refused, so that a flood costs nobody anything. */
const MAX_RUNNING = 64;
/** Answers that nobody has read yet; above it no further request is read. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const ORPHAN_LIMIT_MS = 4_000;
const LAST_WORDS_MS = 2_000;

export async function serve(context: Context): Promise<void> {
  const { log } = context;
  // A signal for the whole service reaches us too; we go when the service has gone.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const orphans = await endOrphans(ORPHAN_LIMIT_MS);
  if (orphans > 0) log('warning', `ended ${orphans} processes of a helper that was killed`);
  const input = new Socket({ fd: 0, writable: false });
  const output = new Socket({ fd: 1, readable: false });
  const running = new Map<number, AbortController>();
  const send = (id: number, header: object, ...body: readonly Buffer[]) => {
    output.write(encodeFrame(id, header, ...body));
    if (output.writableLength > MAX_UNREAD_BYTES) input.pause();
  };
  output.on('drain', () => input.resume());

  async function answer(frame: Frame): Promise<void> {
    const { id, header, body } = frame;
    const request = checkRequest(header);
    if (request?.cancel === true) return running.get(id)?.abort();
    const startedAt = performance.now();
    const reply = ({ stdout, stderr, ...rest }: Ended) => {
      const durationMs = performance.now() - startedAt;
      const level = rest.outcome === 'refused' ? 'warning' : 'info';
      const how = rest.exitCode === null ? `${rest.outcome} ${rest.detail}` : `exit code ${rest.exitCode}`;
      log(level, `${describe(request?.argv ?? ['?'])}: ${how}, ${Math.round(durationMs)} ms`);
      send(id, { ...rest, stdoutBytes: stdout.length, durationMs } satisfies AnswerHeader, stdout, stderr);
    };
    if (request === null || running.has(id)) return reply(ended('refused', 'the request cannot be read'));
    if (running.size >= MAX_RUNNING) return reply(ended('refused', `${MAX_RUNNING} commands run already`));
    const controller = new AbortController();
    running.set(id, controller);
    reply(await perform(request, body, `${ownMark()}.${id}`, controller.signal, context));
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
  await leave([...running.values()]);
}

/** Nobody waits for an answer any more: what still runs ends, gently where that works. */
async function leave(running: readonly AbortController[]): Promise<void> {
  if (running.length > 0) {
    const ours = `${ownMark()}.`;
    const find = () => marked((mark) => mark.startsWith(ours));
    for (const pid of find()) signalTo(pid, 'SIGTERM');
    for (const start = performance.now(); find().length > 0 && performance.now() - start < LAST_WORDS_MS; ) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    for (const controller of running) controller.abort();
  }
  process.exit(0);
}

async function perform(
  request: RequestHeader,
  input: Buffer,
  mark: string,
  signal: AbortSignal,
  { filters, look, env }: Context,
): Promise<Ended> {
  const decision = decide(filters, request.argv!, look);
  const timeoutMs = Math.min(request.timeoutMs!, MAX_TIMEOUT_MS);
  switch (decision.kind) {
    case 'refused':
      return ended('refused', 'no filter allows it (rootwrap.d)');
    case 'not found':
      return ended('missing', `no program '${decision.program}' in exec_dirs that root alone can change`);
    case 'verb':
      return performVerb(decision, input, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    case 'run':
      return run({
        argv: decision.argv,
        env: { ...env, ...decision.env },
        runAs: decision.filter.runAs,
        input,
        timeoutMs,
        outputLimitBytes: Math.min(request.outputLimitBytes ?? MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES),
        diesWithUs: request.diesWithUs === true,
        mark,
        signal,
      });
  }
}

/** A verb that fails has exit code 1 and says why on stderr, like a program. */
export async function performVerb(
  { argv: [name, ...args] }: Extract<Decision, { kind: 'verb' }>,
  input: Buffer,
  signal: AbortSignal,
): Promise<Ended> {
  try {
    const verb = fileVerbs[name];
    if (verb === undefined && name !== '@tgt') return ended('missing', `there is no verb ${name}`);
    return ended('exit', '', verb === undefined ? await askTgtd(args, input, signal) : verb(args, input));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (signal.aborted) return ended(signal.reason?.name === 'TimeoutError' ? 'timeout' : 'aborted', '');
    const text = error instanceof VerbError ? message : (code ?? message);
    return { ...ended('exit', ''), exitCode: 1, stderr: Buffer.from(`${name}: ${text}\n`) };
  }
}

function checkRequest(header: unknown): RequestHeader | null {
  if (typeof header !== 'object' || header === null) return null;
  const { argv, timeoutMs, outputLimitBytes = 1, cancel } = header as Record<string, unknown>;
  if (cancel === true) return { cancel };
  const isArgv = Array.isArray(argv) && argv.every((word) => typeof word === 'string');
  const isPositive = (value: unknown) => typeof value === 'number' && value > 0;
  return isArgv && isPositive(timeoutMs) && isPositive(outputLimitBytes) ? (header as RequestHeader) : null;
}
