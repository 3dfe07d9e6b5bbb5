/**
 * ashlar-rootwrap [--owner UID] CONFIG COMMAND…    one command, in our place
 * ashlar-rootwrap [--owner UID] CONFIG --daemon    many, asked for on stdin (daemon.ts)
 *
 * Exit codes besides the command's own: 99 no filter allows it, 98 no command, 97 a configuration that cannot be used or
 * trusted, 96 the program is not there, 1 anything else.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, performVerb, serve } from './daemon.ts';
import { ConfigError, parseFilters, parseSettings } from './filters.ts';
import { createLog, describe } from './log.ts';
import { decide } from './match.ts';
import { idsOf } from './processes.ts';
import { createLook, whyUntrusted } from './trust.ts';

const CODES = { refused: 99, noCommand: 98, badConfig: 97, notFound: 96, failed: 1 } as const;
const VERB_LIMIT_MS = 60_000;
const MAX_INPUT_BYTES = 64 * 1024;
/** The limit on open files is the kernel's business, and Node ignores SIGPIPE: these two put both right, in our place. */
const PRLIMIT = '/usr/bin/prlimit';
const ENV = '/usr/bin/env';
const CLOSE_ON_EXEC = 0o2000000;

class Exit extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  const { code = CODES.failed, message } = error instanceof Exit ? error : { message: String(error) };
  writeSync(2, `ashlar-rootwrap: ${message}\n`);
  process.exit(code);
});

async function main(words: readonly string[]): Promise<void> {
  closeInherited();
  process.umask(0o022);
  process.chdir('/');
  const told = words[0] === '--owner' ? Number(words[1]) : null;
  if (told !== null && !Number.isInteger(told)) throw new Exit(CODES.noCommand, '--owner takes a number');
  const [configFile, ...command] = told === null ? words : words.slice(2);
  if (configFile === undefined || command.length === 0) {
    throw new Exit(CODES.noCommand, 'usage: ashlar-rootwrap CONFIG COMMAND…, or CONFIG --daemon');
  }
  if (process.getuid?.() !== 0) throw new Exit(CODES.failed, 'it does nothing unless run as root, by sudo');
  const context = load(configFile, told);
  if (command.length === 1 && command[0] === '--daemon') {
    // Inherited by every command.
    spawnSync(PRLIMIT, ['--pid', String(process.pid), `--nofile=${context.settings.rlimitNofile}:`]);
    return serve(context);
  }
  return once(command, context);
}

/** Reads what may be done, if nobody else can have written it. */
function load(configFile: string, owner: number | null): Context {
  const read = (path: string) => {
    const why = whyUntrusted(path, owner);
    if (why !== null) throw new Exit(CODES.badConfig, `${why}; nothing is run until that is mended`);
    return path;
  };
  try {
    read(process.argv[1] ?? '');
    read(process.execPath);
    const settings = parseSettings(readFileSync(read(configFile), 'utf8'));
    const filters = settings.filtersPath.flatMap((directory) => {
      const names = directoryOf(read, directory).filter((name) => /^[^.].*\.filters$/.test(name));
      return names.toSorted().flatMap((name) => parseFilters(readFileSync(read(join(directory, name)), 'utf8')));
    });
    const execDirs = settings.execDirs.filter((directory) => whyUntrusted(directory, owner) === null);
    const env = { PATH: execDirs.join(':'), LC_ALL: 'C', HOME: '/' };
    return { settings, filters, look: createLook(execDirs, owner), env, log: createLog(settings) };
  } catch (error) {
    if (error instanceof ConfigError)
      throw new Exit(CODES.badConfig, `configuration of ${configFile}: ${error.message}`);
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Exit(CODES.badConfig, String((error as Error).message));
  }
}

/** One that is not there allows nothing. */
function directoryOf(check: (path: string) => string, directory: string): readonly string[] {
  try {
    return readdirSync(directory).length === 0 ? [] : readdirSync(check(directory));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function once(command: readonly string[], { filters, look, log, env, settings }: Context): Promise<void> {
  const decision = decide(filters, command, look);
  if (decision.kind === 'refused') {
    if (settings.useSyslog) log('warning', `${describe(command)}: refused`);
    throw new Exit(CODES.refused, `Unauthorized command: ${describe(command)} (no filter matched)`);
  }
  if (decision.kind === 'not found') {
    throw new Exit(CODES.notFound, `Executable not found: ${decision.program}, in exec_dirs and root's alone`);
  }
  if (settings.useSyslog) log('info', `${describe(command)}: run`);
  if (decision.kind === 'verb') {
    const input = ['@write', '@tgt'].includes(decision.argv[0]) ? readInput() : Buffer.alloc(0);
    const result = await performVerb(decision, input, AbortSignal.timeout(VERB_LIMIT_MS));
    writeSync(1, result.stdout);
    writeSync(2, result.stderr);
    process.exit(result.exitCode ?? CODES.failed);
  }
  if (decision.filter.runAs !== 'root') become(decision.filter.runAs);
  const limit = `--nofile=${settings.rlimitNofile}:`;
  const argv = [PRLIMIT, limit, ENV, '--default-signal=PIPE,XFSZ', '--', ...decision.argv];
  process.execve!(PRLIMIT, argv, { ...env, ...decision.env });
}

function become(user: string): void {
  const ids = idsOf(user);
  if (ids === null) throw new Exit(CODES.badConfig, `there is no user ${user}`);
  process.setgroups!([]);
  process.setgid!(ids.gid);
  process.setuid!(ids.uid);
}

function readInput(): Buffer {
  const bytes = readFileSync(0);
  if (bytes.length > MAX_INPUT_BYTES) throw new Exit(CODES.failed, `stdin has more than ${MAX_INPUT_BYTES} bytes`);
  return bytes;
}

/** Files that our caller left open are no business of a command's. Our own are closed at its start anyway. */
function closeInherited(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd < 3) continue;
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
      if ((Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) closeSync(fd);
    } catch {
      // The listing's own, closed by now.
    }
  }
}
