/** The real Cinder (Debian's API, scheduler and volume service) for one test file, with a driver that stores nothing. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withTimeout } from '../../src/lib/timers.ts';
import { eventually } from './node-process.ts';
import { startTestPostgres, type TestPostgres } from './postgres.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from './rabbitmq.ts';

export interface CinderPeer {
  /** `http://127.0.0.1:port`. */
  readonly root: string;
  /** Its database, and its broker in oslo's form: for what works beside it. */
  readonly connection: Awaited<ReturnType<TestPostgres['emptyDatabase']>>;
  readonly transportUrl: string;
  /** Its cinder.conf: for a service that takes the place of one of these. */
  readonly configFile: string;
  /** Starts one that does not run. */
  start(service: CinderService): Promise<void>;
  /** Stops one as an operator would. */
  stop(service: CinderService): Promise<void>;
  /** Kills one of its services. */
  end(service: CinderService): Promise<void>;
  /** Runs cinder-manage and answers what it prints. */
  manage(...args: readonly string[]): Promise<string>;
  /** The end of a service's log, for the reader of a failure. */
  log(service: CinderService): Promise<string>;
  /** Ends everything and removes the directory. */
  close(): Promise<void>;
}

export type CinderService = 'cinder-api' | 'cinder-scheduler' | 'cinder-volume';

const SERVICES: readonly CinderService[] = ['cinder-scheduler', 'cinder-volume', 'cinder-api'];
/** Debian's own: another python earlier in PATH has no cinder. */
const PYTHON = '/usr/bin/python3';
const PASTE_CONFIG = '/usr/share/cinder-common/api-paste.ini';
const SUPPORT = fileURLToPath(new URL('.', import.meta.url));
const DB_SYNC_TIMEOUT_MS = 120_000;
/** Fifteen seconds on a quiet machine. */
const READY_TIMEOUT_MS = 120_000;
/** Cinder's own time to drain is a minute; what does not end in this time is killed. */
const STOP_TIMEOUT_MS = 20_000;
const LOG_TAIL_CHARACTERS = 20_000;

/** Null, or why there can be none. */
export function missingCinder(): string | null {
  const missing = SERVICES.filter((service) => !existsSync(`/usr/bin/${service}`));
  if (missing.length > 0) return `there is no ${missing.join(', ')}: apt-get install ${missing.join(' ')}`;
  if (!existsSync('/usr/lib/python3/dist-packages/psycopg2')) {
    return 'cinder cannot speak to PostgreSQL: apt-get install python3-psycopg2';
  }
  return missingRabbitmq();
}

/** With noauth, host `host`, backend `fake`. Returns when its scheduler knows the backend, or without one its API answers. */
export async function startCinderPeer(options: {
  readonly host: string;
  /** Lines of [DEFAULT]. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** Lines of the backend's group. */
  readonly backend?: Readonly<Record<string, string>>;
  /** Those that run from the start; all of them unless said. */
  readonly services?: readonly CinderService[];
}): Promise<CinderPeer> {
  const services = options.services ?? SERVICES;
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-peer-'));
  const children = new Map<CinderService, ChildProcess>();
  let postgres: TestPostgres | null = null;
  let rabbitmq: TestRabbitmq | null = null;

  const log = async (service: CinderService) => {
    const text = await readFile(join(directory, `${service}.log`), 'utf8').catch(() => '');
    return text.slice(-LOG_TAIL_CHARACTERS);
  };

  async function close(): Promise<void> {
    await Promise.all([...children.values()].map((child) => endGroup(child, 'SIGKILL')));
    await rabbitmq?.close();
    await postgres?.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    const port = await freePort();
    postgres = await startTestPostgres();
    const connection = await postgres.emptyDatabase();
    const database = databaseUrl(connection);
    const config = join(directory, 'cinder.conf');
    const starting = startTestRabbitmq();
    starting.catch(() => undefined);
    await mkdir(join(directory, 'lock'));
    const write = (transport: string) =>
      writeFile(config, renderConfig({ directory, port, database, transport, ...options }), { mode: 0o600 });
    await write('fake://');
    const synced = run(['/usr/bin/cinder-manage', '--config-file', config, 'db', 'sync']);
    synced.catch(() => undefined);
    rabbitmq = await starting;
    await synced;
    await write(rabbitmq.url);
    const start = async (service: CinderService) => {
      children.set(service, await launch(directory, service, [`/usr/bin/${service}`, '--config-file', config]));
    };
    for (const service of services) await start(service);
    const root = `http://127.0.0.1:${port}`;
    const poolsWanted = services.includes('cinder-volume') ? 1 : 0;
    await eventually(
      'the peer to know its backend',
      async () => {
        const ended = services.find((service) => children.get(service)?.exitCode !== null);
        if (ended !== undefined) throw new Error(`${ended} ended: ${await log(ended)}`);
        return (await poolCount(root)) >= poolsWanted ? true : undefined;
      },
      READY_TIMEOUT_MS,
    );
    const end = (signal: NodeJS.Signals) => async (service: CinderService) => {
      const child = children.get(service);
      if (child !== undefined) await endGroup(child, signal);
    };
    return {
      ...{ root, connection, transportUrl: rabbitmq.url, configFile: config },
      ...{ start, stop: end('SIGTERM'), end: end('SIGKILL'), log, close },
      manage: (...args) => run(['/usr/bin/cinder-manage', '--config-file', config, ...args]),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function renderConfig(of: {
  readonly directory: string;
  readonly port: number;
  readonly database: string;
  readonly transport: string;
  readonly host: string;
  readonly defaults?: Readonly<Record<string, string>>;
  readonly backend?: Readonly<Record<string, string>>;
}): string {
  const defaults = {
    auth_strategy: 'noauth',
    host: of.host,
    my_ip: '127.0.0.1',
    transport_url: of.transport,
    state_path: of.directory,
    api_paste_config: PASTE_CONFIG,
    osapi_volume_listen: '127.0.0.1',
    osapi_volume_listen_port: String(of.port),
    osapi_volume_workers: '1',
    enabled_backends: 'fake',
    enable_v3_api: 'true',
    // The scheduler may start after the volume service has told of itself: it tells again soon.
    backend_stats_polling_interval: '3',
    periodic_interval: '3',
    periodic_fuzzy_delay: '1',
    report_interval: '3',
    ...of.defaults,
  };
  const section = (name: string, values: Readonly<Record<string, string>>) =>
    [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`), ''].join('\n');
  return [
    section('DEFAULT', defaults),
    section('fake', {
      ...{ volume_driver: 'cinder_peer_driver.NothingDriver', volume_backend_name: 'fake' },
      ...of.backend,
    }),
    // Few connections: the embedded server has forty for everybody.
    section('database', { connection: of.database, max_pool_size: '3', max_overflow: '3' }),
    section('oslo_concurrency', { lock_path: join(of.directory, 'lock') }),
    section('oslo_messaging_notifications', { driver: 'noop' }),
    section('coordination', { backend_url: `file://${of.directory}` }),
  ].join('\n');
}

function databaseUrl(connection: Awaited<ReturnType<TestPostgres['emptyDatabase']>>): string {
  const { host, port, user, password, database } = connection as Readonly<Record<string, string | number>>;
  const login = `${encodeURIComponent(String(user))}:${encodeURIComponent(String(password))}`;
  const query = new URLSearchParams({ host: String(host), port: String(port) });
  // oslo.config takes $ for a reference; neither part may hold one after the encoding.
  return `postgresql+psycopg2://${login}@/${database}?${query}`;
}

const environment = {
  PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
  LANG: 'C.UTF-8',
  PYTHONPATH: SUPPORT,
  PYTHONDONTWRITEBYTECODE: '1',
} as const;

async function run(argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, argv, { env: environment, timeout: DB_SYNC_TIMEOUT_MS });
  return stdout;
}

/** In a group of its own, and gone with us even when we are killed. */
async function launch(directory: string, name: string, argv: readonly string[]): Promise<ChildProcess> {
  const output = await open(join(directory, `${name}.log`), 'a');
  try {
    return spawn('setpriv', ['--pdeathsig', 'KILL', PYTHON, ...argv], {
      env: environment,
      cwd: directory,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
  } finally {
    await output.close();
  }
}

/** With TERM to the parent alone, which drains its workers; whoever is slow is killed. */
async function endGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
  await withTimeout(gone, STOP_TIMEOUT_MS, () => new Error('too late')).catch(async () => {
    process.kill(-child.pid!, 'SIGKILL');
    await gone;
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** -1 while the API does not answer. */
async function poolCount(root: string): Promise<number> {
  try {
    const response = await fetch(`${root}/v3/abc/scheduler-stats/get_pools`, {
      headers: { 'x-auth-token': 'admin:abc' },
      signal: AbortSignal.timeout(10_000),
    });
    if (response.status !== 200) return -1;
    return ((await response.json()) as { pools: unknown[] }).pools.length;
  } catch {
    return -1;
  }
}
