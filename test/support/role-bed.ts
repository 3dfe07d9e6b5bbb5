/** A database, a broker and a configuration file for `ashlar volume`, `scheduler` and `api` as real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/db/connection.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { eventually } from './node-process.ts';
import { startTestPostgres, type TestPostgres } from './postgres.ts';
import { startTestRabbitmq } from './rabbitmq.ts';

/** From the sources: what is tested is what stands there, built or not. */
const PROGRAM = fileURLToPath(new URL('../../src/cmd/ashlar.ts', import.meta.url));

export interface RoleBed {
  readonly directory: string;
  readonly configFile: string;
  /** On the same database. */
  readonly store: Store;
  /** Writes the file: `[DEFAULT]` as given over what the bed needs, then these groups. */
  configure(groups: ConfigGroups): Promise<void>;
  /** Lines of the common log, parsed. */
  logLines(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  start(
    role: string,
    options?: { readonly program?: string; readonly env?: Readonly<Record<string, string>> },
  ): RoleProcess;
  close(): Promise<void>;
}

export type ConfigGroups = Readonly<Record<string, Readonly<Record<string, string | number>>>>;

export interface RoleProcess {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  output(): string;
  /** Its children now, by the name that `ps` shows. */
  children(): Promise<ReadonlyMap<string, number>>;
  kill(signal: NodeJS.Signals): void;
}

export async function startRoleBed(): Promise<RoleBed> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-roles-'));
  const [postgres, rabbitmq] = await Promise.all([startTestPostgres(), startTestRabbitmq()]);
  const connection = await postgres.migratedDatabase();
  const database = databaseUrl(connection);
  const store = createStore(openDatabase({ connection, maxPoolSize: 2 }));
  const configFile = join(directory, 'ashlar.conf');
  const logFile = join(directory, 'ashlar.log');
  const started: RoleProcess[] = [];
  return {
    directory,
    configFile,
    store,
    async configure({ DEFAULT, ...groups }) {
      const all: ConfigGroups = {
        DEFAULT: {
          host: 'node',
          state_path: join(directory, 'state'),
          transport_url: rabbitmq.url,
          report_interval: 1,
          service_down_time: 5,
          graceful_shutdown_timeout: 10,
          log_file: logFile,
          osapi_volume_listen_port: 0,
          ...DEFAULT,
        },
        database: { connection: database },
        ...groups,
      };
      await writeFile(configFile, renderConfig(all), { mode: 0o600 });
    },
    async logLines() {
      const text = await readFile(logFile, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    start(role, options = {}) {
      const made = startRole(role, [configFile], options);
      started.push(made);
      return made;
    },
    async close() {
      for (const role of started) role.kill('SIGKILL');
      await Promise.all(started.map(({ exited }) => exited));
      await store.close();
      await rabbitmq.close();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** `ashlar ROLE` with these configuration files, later ones win. */
export function startRole(
  role: string,
  configFiles: readonly string[],
  { program = PROGRAM, env = {} }: { readonly program?: string; readonly env?: Readonly<Record<string, string>> } = {},
): RoleProcess {
  const files = configFiles.flatMap((file) => ['--config-file', file]);
  const child = spawn(process.execPath, [program, role, ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  return roleProcess(child);
}

function roleProcess(child: ChildProcess): RoleProcess {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid!,
    exited,
    output: () => text,
    children: () => childrenOf(child.pid!),
    kill: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    },
  };
}

/** Children of a process by their command lines, from /proc. */
async function childrenOf(pid: number): Promise<ReadonlyMap<string, number>> {
  const pids = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).trim().split(' ');
  const named = await Promise.all(
    pids.filter(Boolean).map(async (child) => {
      const title = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
      return [title.split('\0')[0]!, Number(child)] as const;
    }),
  );
  return new Map(named);
}

/** True while a process of that number runs; one that has ended and was not collected does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return status !== null && !/\) [ZX] /.test(status);
}

/** Waits until the process has said that. */
export function untilSaid(role: RoleProcess, pattern: RegExp, limitMs = 30_000): Promise<RegExpExecArray> {
  return eventually(`${pattern} from the process`, async () => pattern.exec(role.output()) ?? undefined, limitMs).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}; it said:\n${role.output()}`);
    },
  );
}

function databaseUrl(connection: Awaited<ReturnType<TestPostgres['migratedDatabase']>>): string {
  const { host, port, user, password, database } = connection as Readonly<Record<string, string | number>>;
  const query = new URLSearchParams({ host: String(host), port: String(port) });
  return `postgresql://${encodeURIComponent(String(user))}:${encodeURIComponent(String(password))}@/${database}?${query}`;
}

export function renderConfig(groups: ConfigGroups): string {
  return Object.entries(groups)
    .map(([group, values]) =>
      [`[${group}]`, ...Object.entries(values).map(([name, value]) => `${name} = ${value}`), ''].join('\n'),
    )
    .join('\n');
}
