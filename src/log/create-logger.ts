import { closeSync, openSync } from 'node:fs';
import { destination as openDestination, pino, stdTimeFunctions } from 'pino';
import type { Logger } from './logger.ts';
import { rememberProblem } from './recent.ts';
import { redactFields, redactText } from './redact.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface CreateLogger {
  readonly level: LogLevel;
  /** The program's name, in every line. */
  readonly name: string;
  /** Standard output by default; anything but these two words is the path of a file, which is appended to (0600). */
  readonly destination?: 'stdout' | 'stderr' | (string & {});
}

/** The logger that a process makes once; everything else gets it, or a child of it, as a Logger. */
export interface RootLogger extends Logger {
  readonly level: LogLevel;
  /** From now on, for every child too. */
  setLevel(level: LogLevel): void;
  /** Opens the file anew, after a rotation. Nothing for stdout and stderr. */
  reopen(): void;
  /**
   * How many writes failed (a full disk, a reader that is gone). Logging never stops the service: up to 1 MiB waits for
   * the disk to have room again, further lines are dropped.
   */
  failedWrites(): number;
  /** Closes the file. */
  close(): void;
}

/**
 * Logs one JSON line each, written before the call returns: the last line before a SIGKILL is there. Secrets are taken
 * out of fields and messages. For people: `ashlar … | npx pino-pretty`.
 */
export function createLogger({ level, name, destination = 'stdout' }: CreateLogger): RootLogger {
  const isFile = destination !== 'stdout' && destination !== 'stderr';
  if (isFile) assertWritable(destination);
  const dest = isFile ? destination : destination === 'stdout' ? 1 : 2;
  const stream = openDestination({ dest, mode: 0o600, sync: true, maxLength: 1024 * 1024 });
  let failed = 0;
  stream.on('error', () => {
    failed += 1;
  });
  const root = pino(
    {
      // The threshold is ours: pino's children keep the level that their parent had when they were made.
      level: 'debug',
      // Not `name`: that is what most fields with a name are called.
      base: { program: name, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'msg',
      // Errors are plain objects by then; pino's own serializer would write their causes twice.
      serializers: { err: (value) => value },
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const threshold = { level };
  return {
    ...facade(root, threshold),
    get level() {
      return threshold.level;
    },
    setLevel(next) {
      threshold.level = next;
    },
    reopen: () => {
      if (isFile) stream.reopen();
    },
    failedWrites: () => failed,
    close: () => {
      if (isFile) stream.end();
    },
  };
}

/** The stream would report a path that cannot be opened later, and to nobody. */
function assertWritable(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`Log file ${path} cannot be opened (${code}); make its directory, or name another file.`, {
      cause: error,
    });
  }
}

type PinoChild = Pick<ReturnType<typeof pino>, LogLevel | 'child'>;

/** `bound`: what the child loggers above bind, already redacted. */
function facade(
  target: PinoChild,
  threshold: { readonly level: LogLevel },
  bound: Readonly<Record<string, unknown>> = {},
): Logger {
  const write = (level: LogLevel) => (fields: object, message: string) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(threshold.level)) return;
    const safe = { fields: redactFields(fields), message: redactText(message) };
    target[level](safe.fields, safe.message);
    if (level === 'warn' || level === 'error') {
      rememberProblem({
        at: new Date().toISOString(),
        level,
        message: safe.message,
        fields: { ...bound, ...safe.fields },
      });
    }
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child(bindings) {
      const more = redactFields(bindings);
      return facade(target.child(more), threshold, { ...bound, ...more });
    },
  };
}
