/**
 * ashlar-rootwrap [--owner UID] CONFIG COMMAND…    one command, in our place
 * ashlar-rootwrap [--owner UID] CONFIG --daemon    many, asked for on stdin (daemon.ts)
 *
 * Exit codes besides the command's own: 99 no filter allows it, 98 no command, 97 a configuration that cannot be used or
 * trusted, 96 the program is not there, 1 anything else.
 */
import { existsSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { asUser, type Context, PRLIMIT, performVerb, serve } from './daemon.ts';
import { ConfigError, parseFilters, parseSettings } from './filters.ts';
import { createLog, describe } from './log.ts';
import { decide } from './match.ts';
import { createLook, whyUntrusted } from './trust.ts';

const VERB_LIMIT_MS = 60_000;
const MAX_INPUT_BYTES = 64 * 1024;
/** Node ignores SIGPIPE, and its children with it: this puts it right. */
const ENV = '/usr/bin/env';
/** Every command is a fork of the daemon: the smaller it is and the fewer its threads, the sooner that is done. */
const DAEMON_FLAGS = ['--single-threaded', '--max-semi-space-size=1'];

await main(process.argv.slice(2)).catch((error: unknown) => fail(1, String(error)));

async function main(words: readonly string[]): Promise<void> {
  process.umask(0o022);
  process.chdir('/');
  const told = words[0] === '--owner' ? Number(words[1]) : null;
  const [configFile, ...command] = told === null ? words : words.slice(2);
  if (configFile === undefined || command.length === 0 || (told !== null && !Number.isInteger(told))) {
    fail(98, 'usage: ashlar-rootwrap [--owner UID] CONFIG COMMAND…, or --daemon for the command');
  }
  if (process.getuid?.() !== 0) fail(1, 'it does nothing unless run as root, by sudo');
  const context = load(configFile, told);
  if (command.length > 1 || command[0] !== '--daemon') return await once(command, context);
  if (process.execArgv.includes(DAEMON_FLAGS[0]!)) return await serve(context);
  become([process.execPath, ...DAEMON_FLAGS, process.argv[1]!, ...words], context);
}

/** Reads what may be done, if nobody else can have written it. */
function load(configFile: string, owner: number | null): Context {
  const trusted = (path: string) => {
    const why = whyUntrusted(path, owner);
    return why === null ? path : fail(97, `${why}; nothing is run until that is mended`);
  };
  try {
    for (const own of [process.argv[1]!, process.execPath]) trusted(own);
    const settings = parseSettings(readFileSync(trusted(configFile), 'utf8'));
    // A directory that is not there allows nothing.
    const filters = settings.filtersPath.filter(existsSync).flatMap((directory) => {
      const names = readdirSync(trusted(directory)).filter((name) => /^[^.].*\.filters$/.test(name));
      return names.toSorted().flatMap((name) => parseFilters(readFileSync(trusted(join(directory, name)), 'utf8')));
    });
    const execDirs = settings.execDirs.filter((directory) => whyUntrusted(directory, owner) === null);
    const env = { PATH: execDirs.join(':'), LC_ALL: 'C', HOME: '/' };
    return { settings, filters, look: createLook(execDirs, owner), env };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof ConfigError) && code === undefined) throw error;
    return fail(97, `configuration of ${configFile}: ${message}`);
  }
}

async function once(command: readonly string[], context: Context): Promise<void> {
  const { filters, look, env, settings } = context;
  const decision = decide(filters, command, look);
  const isRefused = decision.kind === 'refused';
  if (settings.useSyslog) {
    createLog(settings)(isRefused ? 'warning' : 'info', `${describe(command)}: ${isRefused ? 'refused' : 'run'}`);
  }
  if (isRefused) fail(99, `Unauthorized command: ${describe(command)} (no filter matched)`);
  if (decision.kind === 'not found') {
    fail(96, `Executable not found: ${decision.program}, in exec_dirs and root's alone`);
  }
  if (decision.kind === 'run') become(asUser(decision, settings), { ...context, env: { ...env, ...decision.env } });
  const input = ['@write', '@tgt'].includes(decision.argv[0]) ? readFileSync(0) : Buffer.alloc(0);
  if (input.length > MAX_INPUT_BYTES) fail(1, `stdin has more than ${MAX_INPUT_BYTES} bytes`);
  const { stdout, stderr, exitCode } = await performVerb(decision, input, AbortSignal.timeout(VERB_LIMIT_MS));
  writeSync(1, stdout);
  writeSync(2, stderr);
  process.exit(exitCode ?? 1);
}

/** Another program in our place, with its limit on open files and the signals as they are by default. */
function become(argv: readonly string[], { settings, env }: Context): never {
  const limit = `--nofile=${settings.rlimitNofile}:`;
  process.execve!(PRLIMIT, [PRLIMIT, limit, ENV, '--default-signal=PIPE,XFSZ', '--', ...argv], { ...env });
  fail(1, `${PRLIMIT} cannot be run`);
}

function fail(code: number, message: string): never {
  writeSync(2, `ashlar-rootwrap: ${message}\n`);
  process.exit(code);
}
