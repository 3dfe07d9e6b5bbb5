/** One line for each refusal and each command: to syslog where rootwrap.conf says so, else to whoever started us. */
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Settings } from './filters.ts';

export type Level = 'info' | 'warning';
export type Log = (level: Level, message: string) => void;

const LOGGER = '/usr/bin/logger';
const RANK = { debug: 0, info: 1, warning: 2, err: 3 } as const;
/** A reader that does not read loses lines; it must not hold up the deadlines of commands. */
const MAX_WAITING_BYTES = 1024 * 1024;

export function createLog(settings: Settings): Log {
  if (!settings.useSyslog) return write(asyncStderr(), '');
  const priority = (level: Level) => `${settings.syslogFacility}.${level}`;
  return (level, message) => {
    // A refusal is always worth a line.
    if (level === 'info' && RANK[settings.syslogLevel] > RANK.info) return;
    const child = spawn(LOGGER, ['-t', 'ashlar-rootwrap', '-p', priority(level), '--', message], {
      detached: true,
      env: {},
      stdio: 'ignore',
    });
    child.on('error', () => {});
    child.unref();
  };
}

function write(stream: Writable, prefix: string): Log {
  return (level, message) => {
    if (stream.writableLength < MAX_WAITING_BYTES) stream.write(`${prefix}${level}: ${message}\n`);
  };
}

function asyncStderr(): Writable {
  const stream = fstatSync(2).isFIFO() ? new Socket({ fd: 2, readable: false }) : process.stderr;
  stream.on('error', () => {});
  return stream;
}

/** argv for the log: printable, bounded, and without what looks like a secret, though none may be there. */
export function describe(argv: readonly string[]): string {
  const secret = /pass(?:word|wd)?|secret|token/i;
  const words = argv.map((word, index) => {
    if (/^-/.test(argv[index - 1] ?? '') && secret.test(argv[index - 1]!) && !argv[index - 1]!.includes('='))
      return '***';
    return word.replace(/((?:pass(?:word|wd)?|secret|token)\w*[=:]).*/i, '$1***');
  });
  return JSON.stringify(words.join(' ')).slice(0, 1000);
}
