/** Ashlar's services as processes, over a broker and a database that can be stopped and started again under them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/cmd/local/postgres.ts';
import { openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { silentLog } from './postgres.ts';
import { startTestRabbitmq, type TestRabbitmq } from './rabbitmq.ts';
import { type RoleProcess, renderConfig, startRole, untilSaid } from './role-bed.ts';

export const SERVICE_HOST = 'node@one';
export const POOL = 'node@one#one';

export interface OutageBed {
  readonly broker: TestRabbitmq;
  readonly database: { stop(): Promise<void>; start(): Promise<void> };
  /** On the same database; its connections come back by themselves. */
  readonly store: Store;
  /** Where the driver keeps one file for each volume. */
  readonly filesDir: string;
  readonly directory: string;
  /** The volume service's parent process. */
  readonly volume: RoleProcess;
  /** A request below `/v3/admin`. */
  request(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Lines of the common log, parsed. */
  logLines(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** One backend of sparse files; its target keeps nothing. Queues are durable where `durable` is set. */
export async function startOutageBed({
  durable = false,
  env = (_directory: string): Readonly<Record<string, string>> => ({}),
} = {}): Promise<OutageBed> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-outage-'));
  // In memory where that is possible: the server's fsyncs cost nothing there.
  const stateDir = await mkdtemp('/dev/shm/ashlar-outage-').catch(() => join(directory, 'database'));
  const undo: (() => Promise<unknown>)[] = [() => removeAll(directory, stateDir)];
  const close = async () => {
    for (const step of undo.toReversed()) await step();
  };
  try {
    const startDatabase = () => startEmbeddedPostgres({ stateDir, log: silentLog });
    let server = await startDatabase();
    undo.push(() => server.stop());
    const broker = await startTestRabbitmq();
    undo.push(() => broker.close());
    const database = openDatabase({ connection: server.connection, maxPoolSize: 4 });
    const store = createStore(database);
    undo.push(() => store.close());
    await dbSync(database);

    const logFile = join(directory, 'ashlar.log');
    const filesDir = join(directory, 'files');
    const configFile = join(directory, 'ashlar.conf');
    await writeFile(configFile, configOf({ directory, logFile, filesDir, durable, broker, server }), { mode: 0o600 });
    const roles = ['volume', 'scheduler', 'api'].map((name) => startRole(name, [configFile], { env: env(directory) }));
    undo.push(async () => {
      for (const role of roles) role.kill('SIGKILL');
      await Promise.all(roles.map(({ exited }) => exited));
    });
    const [volume, scheduler, api] = roles as [RoleProcess, RoleProcess, RoleProcess];
    await Promise.all([
      untilSaid(volume, /Ashlar volume is up: up: one/, 60_000),
      untilSaid(scheduler, /Ashlar scheduler is up/, 60_000),
    ]);
    const [, url] = await untilSaid(api, /API: (http\S+)\./, 60_000);
    const token = (await readFile(join(directory, 'state', 'admin-token'), 'utf8')).trim();
    return {
      ...{ directory, broker, store, filesDir, volume, close },
      database: {
        stop: () => server.stop(),
        async start() {
          server = await startDatabase();
        },
      },
      async request(method, path, body) {
        const response = await fetch(`${url}/admin${path}`, {
          method,
          headers: {
            'x-auth-token': token,
            'content-type': 'application/json',
            'openstack-api-version': 'volume 3.70',
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(60_000),
        });
        return { status: response.status, body: await response.json().catch(() => null) };
      },
      async logLines() {
        const text = await readFile(logFile, 'utf8').catch(() => '');
        const lines = text.split('\n').filter((line) => line.endsWith('}'));
        return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function removeAll(...directories: readonly string[]): Promise<void> {
  for (const directory of directories) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

function configOf(of: {
  readonly directory: string;
  readonly logFile: string;
  readonly filesDir: string;
  readonly durable: boolean;
  readonly broker: TestRabbitmq;
  readonly server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
}): string {
  const { host, port, user, password, database } = of.server.connection;
  const place = new URLSearchParams({ host, port: String(port) });
  return renderConfig({
    DEFAULT: {
      ...{ host: 'node', state_path: join(of.directory, 'state'), log_file: of.logFile, enabled_backends: 'one' },
      ...{ transport_url: of.broker.url, report_interval: 1, service_down_time: 60, osapi_volume_listen_port: 0 },
      // More than a project may have unless told otherwise.
      ...{ quota_volumes: -1, quota_gigabytes: -1, osapi_volume_workers: 1 },
    },
    database: { connection: `postgresql://${user}:${encodeURIComponent(password)}@/${database}?${place}` },
    oslo_messaging_rabbit: { amqp_durable_queues: String(of.durable), rabbit_interval_max: 2 },
    one: {
      ...{ volume_driver: 'file', target_helper: 'fake', volume_backend_name: 'one' },
      ...{ file_volumes_dir: of.filesDir, file_capacity_gb: 10_000 },
    },
  });
}
