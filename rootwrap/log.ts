/** One line for each refusal and each command: to syslog where rootwrap.conf says so, else to whoever started us. */
import { spawn } from 'node:child_process';
import { existsSync, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Settings } from './filters.ts';

const SYSLOG = '/dev/log';
const LOGGER = '/usr/bin/logger';
/** A reader that does not read loses lines; it must not hold up the deadlines of commands. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Syslog's socket is no stream, which is all that Node can open: one `logger` writes there for us, as long as we live. */
export function createLog({ useSyslog, syslogFacility, logsCommands }: Settings) {
  const hasSyslog = useSyslog && existsSync(SYSLOG) && existsSync(LOGGER);
  const stream = hasSyslog ? startLogger(syslogFacility) : stderr();
  stream.on('error', () => {});
  const write = (line: string) => stream.writableLength < MAX_WAITING_BYTES && stream.write(`${line}\n`);
  if (useSyslog && !hasSyslog) write(`warning: use_syslog is set, but there is no ${SYSLOG} or no ${LOGGER}`);
  return (level: 'info' | 'warning', message: string): void => {
    if (level === 'info' && useSyslog && !logsCommands) return;
    // `<number>` before a line is what syslog calls these.
    write(hasSyslog ? `${level === 'info' ? '<6>' : '<4>'}${message}` : `${level}: ${message}`);
  };
}

function startLogger(facility: string) {
  const argv = ['-t', 'ashlar-rootwrap', '-p', `${facility}.info`, '--prio-prefix', '--socket', SYSLOG];
  const logger = spawn(LOGGER, argv, { env: {}, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  logger.on('error', () => {}).unref();
  return logger.stdin;
}

/** Never one that blocks. */
function stderr() {
  return fstatSync(2).isFIFO() ? new Socket({ fd: 2, readable: false }) : process.stderr;
}

/** argv for the log: printable, bounded, and without what looks like a secret, though none may be there. */
export function describe(argv: readonly string[]): string {
  const words = argv.map((word, index) => {
    const isValue = /^-[^=]*(pass(word|wd)?|secret|token)[^=]*$/i.test(argv[index - 1] ?? '');
    return isValue ? '***' : word.replace(/((?:pass(?:word|wd)?|secret|token)\w*[=:]).*/i, '$1***');
  });
  return JSON.stringify(words.join(' ')).slice(0, 1000);
}
