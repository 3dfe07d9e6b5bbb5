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

const CODES = { refused: 99, noCommand: 98, badConfig: 97, notFound: 96, failed: 1 } as const;
const VERB_LIMIT_MS = 60_000;
const MAX_INPUT_BYTES = 64 * 1024;
/** Node ignores SIGPIPE, and its children with it: this puts it right. */
const ENV = '/usr/bin/env';
/** Every command is a fork of the daemon: the smaller it is and the fewer its threads, the sooner that is done. */
const DAEMON_FLAGS = ['--single-threaded', '--max-semi-space-size=1'];

await main(process.argv.slice(2)).catch((error: unknown) => fail(CODES.failed, String(error)));

async function main(words: readonly string[]): Promise<void> {
  process.umask(0o022);
  process.chdir('/');
  const told = words[0] === '--owner' ? Number(words[1]) : null;
  if (told !== null && !Number.isInteger(told)) fail(CODES.noCommand, '--owner takes a number');
  const [configFile, ...command] = told === null ? words : words.slice(2);
  if (configFile === undefined || command.length === 0) {
    fail(CODES.noCommand, 'usage: ashlar-rootwrap CONFIG COMMAND…, or CONFIG --daemon');
  }
  if (process.getuid?.() !== 0) fail(CODES.failed, 'it does nothing unless run as root, by sudo');
  const context = load(configFile, told);
  if (command.length > 1 || command[0] !== '--daemon') return await once(command, context);
  if (process.execArgv.includes(DAEMON_FLAGS[0]!)) return await serve(context);
  become([process.execPath, ...DAEMON_FLAGS, process.argv[1]!, ...words], context);
}

/** Reads what may be done, if nobody else can have written it. */
function load(configFile: string, owner: number | null): Context {
  const trusted = (path: string) => {
    const why = whyUntrusted(path, owner);
    if (why !== null) fail(CODES.badConfig, `${why}; nothing is run until that is mended`);
    return path;
  };
  try {
    for (const own of [process.argv[1]!, process.execPath]) trusted(own);
    const settings = parseSettings(readFileSync(trusted(configFile), 'utf8'));
    const filters = settings.filtersPath.flatMap((directory) => {
      // One that is not there allows nothing.
      if (!existsSync(directory)) return [];
      const names = readdirSync(trusted(directory)).filter((name) => /^[^.].*\.filters$/.test(name));
      return names.toSorted().flatMap((name) => parseFilters(readFileSync(trusted(join(directory, name)), 'utf8')));
    });
    const execDirs = settings.execDirs.filter((directory) => whyUntrusted(directory, owner) === null);
    const env = { PATH: execDirs.join(':'), LC_ALL: 'C', HOME: '/' };
    return { settings, filters, look: createLook(execDirs, owner), env };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof ConfigError) && code === undefined) throw error;
    return fail(CODES.badConfig, `configuration of ${configFile}: ${message}`);
  }
}

async function once(command: readonly string[], context: Context): Promise<void> {
  const { filters, look, env, settings } = context;
  const decision = decide(filters, command, look);
  if (settings.useSyslog) {
    const [level, what] = decision.kind === 'refused' ? (['warning', 'refused'] as const) : (['info', 'run'] as const);
    createLog(settings)(level, `${describe(command)}: ${what}`);
  }
  if (decision.kind === 'refused') {
    fail(CODES.refused, `Unauthorized command: ${describe(command)} (no filter matched)`);
  }
  if (decision.kind === 'not found') {
    fail(CODES.notFound, `Executable not found: ${decision.program}, in exec_dirs and root's alone`);
  }
  if (decision.kind === 'verb') {
    const input = ['@write', '@tgt'].includes(decision.argv[0]) ? readFileSync(0) : Buffer.alloc(0);
    if (input.length > MAX_INPUT_BYTES) fail(CODES.failed, `stdin has more than ${MAX_INPUT_BYTES} bytes`);
    const result = await performVerb(decision, input, AbortSignal.timeout(VERB_LIMIT_MS));
    writeSync(1, result.stdout);
    writeSync(2, result.stderr);
    process.exit(result.exitCode ?? CODES.failed);
  }
  become(asUser(decision, settings), { ...context, env: { ...env, ...decision.env } });
}

/** Another program in our place, with its limit on open files and the signals as they are by default. */
function become(argv: readonly string[], { settings, env }: Context): never {
  const limit = `--nofile=${settings.rlimitNofile}:`;
  process.execve!(PRLIMIT, [PRLIMIT, limit, ENV, '--default-signal=PIPE,XFSZ', '--', ...argv], { ...env });
  fail(CODES.failed, `${PRLIMIT} cannot be run`);
}

function fail(code: number, message: string): never {
  writeSync(2, `ashlar-rootwrap: ${message}\n`);
  process.exit(code);
}
