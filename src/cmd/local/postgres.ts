/**
 * The embedded PostgreSQL of a one-command node: a real server on a unix socket only, its data in the state directory.
 *
 *   <state>/postgres/            the data, 0700
 *   <state>/postgres.password    the superuser's password, 0600
 *   <state>/postgres.owner       process id of the ashlar that started it last
 *   <state>/run/                 the socket
 *   <state>/log/postgres.log     this run's messages; the run before is postgres.log.1
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type OwnedProcess, startOwnedProcess, withParentDeathSignal } from '../../exec/owned-process.ts';
import { removeFile, writeFileAtomically } from '../../lib/files.ts';
import type { Logger } from '../../log/logger.ts';
import { failure, messageOf } from '../../model/errors.ts';
import { renderPostgresConfig } from './postgres-config.ts';
import { settleLeftoverServer } from './postgres-leftover.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-package.ts';
import { socketDirectory } from './postgres-socket.ts';
import { userForPostgres } from './postgres-user.ts';

export interface EmbeddedPostgres {
  readonly connection: {
    /** Directory of the unix socket. */
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  readonly pid: number;
  /** Settles when the server is gone, whoever ended it. */
  readonly exited: OwnedProcess['exited'];
  /** Fast shutdown: ends the sessions, writes a checkpoint, goes. */
  stop(): Promise<void>;
}

const USER = 'ashlar';
const DATABASE = 'ashlar';
const INITDB_TIMEOUT_MS = 300_000;
/** Includes the replay of the write-ahead log after a crash (128 MB at the most). */
const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;

/**
 * Starts it, making the data directory and the database `ashlar` at the first start. Ends with us, even by SIGKILL.
 * Throws ServiceUnavailable with a sentence that says what to do.
 */
export async function startEmbeddedPostgres(options: {
  readonly stateDir: string;
  readonly log: Logger;
}): Promise<EmbeddedPostgres> {
  const { log } = options;
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const stateDir = await realpath(options.stateDir);
  const binaries = await findPostgresBinaries();
  const dataDirectory = join(stateDir, 'postgres');
  const ownerFile = join(stateDir, 'postgres.owner');

  const password = await readOrMakePassword(stateDir, dataDirectory);
  const lastOwner = Number(await readFile(ownerFile, 'utf8').catch(() => '')) || null;
  await settleLeftoverServer({ dataDirectory, lastOwner, log });
  if (!existsSync(join(dataDirectory, 'PG_VERSION'))) await makeDataDirectory(stateDir, dataDirectory, binaries, log);
  await chmod(dataDirectory, 0o700);

  const host = await socketDirectory(stateDir);
  // Nobody uses the data now, so a lock here is stale, even if its process id lives (as another program, or a zombie).
  await removeFile(join(host, '.s.PGSQL.5432.lock'));
  await writeFileAtomically(join(dataDirectory, 'postgresql.conf'), renderPostgresConfig(host));
  await writeFileAtomically(ownerFile, `${process.pid}\n`);
  const server = await startOwnedProcess({
    name: 'PostgreSQL',
    argv: await asUnprivileged([binaries.postgres, '-D', dataDirectory]),
    env: environment,
    cwd: dataDirectory,
    parentDeathSignal: 'SIGINT',
    ready: (pid) => isReady(dataDirectory, pid),
    readyTimeoutMs: READY_TIMEOUT_MS,
    log,
    outputFile: await freshLogFile(stateDir),
  });
  return {
    connection: { host, port: 5432, user: USER, password, database: DATABASE },
    pid: server.pid,
    exited: server.exited,
    async stop() {
      await server.stop({ signal: 'SIGINT', timeoutMs: STOP_TIMEOUT_MS });
    },
  };
}

/** PG* variables of our environment would change how the programs behave. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** As the user that runs us where that can be, else as another in a user namespace of its own. */
async function asUnprivileged(argv: readonly [string, ...string[]]): Promise<[string, ...string[]]> {
  const user = userForPostgres(await readFile('/etc/passwd', 'utf8').catch(() => ''), process.getuid?.() ?? 0);
  if (user === null) return [...argv];
  return ['unshare', '-U', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--', ...argv];
}

/** The last line of postmaster.pid tells the server's state, as pg_ctl reads it. */
async function isReady(dataDirectory: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

async function readOrMakePassword(stateDir: string, dataDirectory: string): Promise<string> {
  const path = join(stateDir, 'postgres.password');
  const found = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (found !== '') return found;
  if (existsSync(dataDirectory)) {
    const reason = `${path} is gone, so the database in ${dataDirectory} cannot be opened. Put it back from a backup, or move both away to begin anew.`;
    throw failure('ServiceUnavailable', { reason });
  }
  const password = randomBytes(24).toString('base64url');
  await writeFileAtomically(path, `${password}\n`);
  return password;
}

/**
 * initdb into a sibling, then one rename: a crash in the middle leaves only a sibling, which the next start removes.
 */
async function makeDataDirectory(
  stateDir: string,
  dataDirectory: string,
  binaries: PostgresBinaries,
  log: Logger,
): Promise<void> {
  for (const name of await readdir(stateDir)) {
    if (name.startsWith('postgres.new-')) await rm(join(stateDir, name), { recursive: true, force: true });
  }
  log.info({ directory: dataDirectory }, 'Making the database directory.');
  const temporary = await mkdtemp(join(stateDir, 'postgres.new-'));
  const passwordFile = join(stateDir, 'postgres.password');
  await run(
    await asUnprivileged([
      ...([binaries.initdb, '-D', temporary, '-U', USER, '--pwfile', passwordFile] as const),
      ...['--auth=scram-sha-256', '--data-checksums', '--wal-segsize=4', '--encoding=UTF8'],
      ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
    ]),
  );
  await run(
    await asUnprivileged([binaries.postgres, '--single', '-D', temporary, '-c', 'exit_on_error=on', 'postgres']),
    `CREATE DATABASE ${DATABASE};\n`,
  );
  await rename(temporary, dataDirectory);
  const directory = await open(stateDir, 'r');
  await directory.sync().finally(() => directory.close());
}

/** Runs a short program to its end; it dies with us. */
function run(argv: readonly [string, ...string[]], input = ''): Promise<void> {
  const [program, ...args] = withParentDeathSignal(argv, 'SIGKILL');
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { env: environment, timeout: INITDB_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 4 << 20 },
      (error, _stdout, stderr) => {
        if (error === null) return resolve();
        const detail = stderr.trim() === '' ? messageOf(error) : stderr.trim();
        const next = /unshare/.test(detail)
          ? 'As root it needs user namespaces (sysctl user.max_user_namespaces); or start as an ordinary user, or name a PostgreSQL of your own as connection in [database].'
          : 'Free what it lacks and start again; nothing half-made is kept.';
        reject(failure('ServiceUnavailable', { reason: `The database could not be made: ${detail}. ${next}` }, error));
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** One run, one file; the run before is kept beside it. */
async function freshLogFile(stateDir: string): Promise<string> {
  const directory = join(stateDir, 'log');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'postgres.log');
  await removeFile(`${path}.1`);
  await rename(path, `${path}.1`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return path;
}
