/** A Cinder whose volume service is ours: one database, one broker, one host name; sparse files behind a real tgtd. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { sleep } from '../../src/lib/timers.ts';
import { type CinderPeer, missingCinder, startCinderPeer } from './cinder-peer.ts';
import { missingInitiator } from './initiator.ts';
import { type RoleProcess, renderConfig, startRole, untilSaid } from './role-bed.ts';
import { missingTgtd, startTestTgtd, type TestTgtd } from './tgtd.ts';

export const PROJECT = '0123456789abcdef0123456789abcdef';
export const SERVICE_HOST = 'node@fake';
/** GiB of the backend. */
export const CAPACITY_GB = 30;

export interface BesideCinder {
  readonly peer: CinderPeer;
  readonly tgtd: TestTgtd;
  /** On the same database. */
  readonly store: Store;
  /** The directory of our backend's files. */
  readonly filesDir: string;
  /** The schema as `cinder-manage db sync` made it, before our own tables came. */
  readonly schemaBefore: readonly string[];
  /** The same now: a line for each column, index and constraint, which begins with the table's name. */
  schema(): Promise<readonly string[]>;
  /** A request to Cinder's API below the project, at its newest microversion. */
  call(method: string, path: string, body?: unknown, options?: { readonly project?: string }): Promise<Reply>;
  /** Starts our volume service; returns when it is up, or at once. */
  startOurs(options?: { readonly wait: boolean }): Promise<void>;
  /** TERM, and waits for the end. */
  stopOurs(): Promise<void>;
  /** Kills our volume service, its children with it. */
  killOurs(): Promise<void>;
  /** What both have logged lately, for the reader of a failure. */
  logs(): Promise<string>;
  /** All that our service has logged. */
  ourLog(): Promise<string>;
  close(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON it expects
  readonly body: any;
}

const SCHEMA = `
  select line from (
    select concat_ws(' ', table_name, column_name, data_type, character_maximum_length, is_nullable, column_default) as line
      from information_schema.columns where table_schema = current_schema()
    union all
    select concat_ws(' ', tablename, indexdef) from pg_indexes where schemaname = current_schema()
    union all
    select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = current_schema()::regnamespace
  ) as lines order by line`;

/** Null, or why it cannot be. */
export function missingBeside(): string | null {
  return missingCinder() ?? missingTgtd() ?? missingInitiator();
}

/** Cinder's API and scheduler run when it returns, and our volume service where `ours` is not false. */
export async function startBesideCinder(options: { readonly ours?: boolean } = {}): Promise<BesideCinder> {
  const tgtd = await startTestTgtd();
  let peer: CinderPeer | undefined;
  let store: Store | undefined;
  let role: RoleProcess | null = null;
  const configFile = join(tgtd.directory, 'ashlar.conf');
  const logFile = join(tgtd.directory, 'ashlar.log');
  const filesDir = join(tgtd.directory, 'files');
  const ourLog = () => readFile(logFile, 'utf8').catch(() => '');

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = role;
    role = null;
    ending?.kill(signal);
    await ending?.exited;
  }

  async function close(): Promise<void> {
    await end('SIGKILL');
    await store?.close();
    await peer?.close();
    await tgtd.close();
  }

  try {
    peer = await startCinderPeer({
      host: 'node',
      services: ['cinder-scheduler', 'cinder-api'],
      backend: { volume_driver: 'cinder_peer_driver.FilesDriver', peer_files_dir: filesDir },
    });
    const { connection, root } = peer;
    const database = openDatabase({ connection, maxPoolSize: 3 });
    store = createStore(database);
    const schema = async () => {
      const { rows } = (await database.knex.raw(SCHEMA)) as { readonly rows: readonly { readonly line: string }[] };
      return rows.map(({ line }) => line);
    };
    const schemaBefore = await schema();
    await dbSync(database);
    await writeFile(configFile, renderConfig(ourGroups(tgtd, filesDir, logFile)), { mode: 0o600 });
    const files = [peer.configFile, configFile];
    const bed: BesideCinder = {
      ...{ peer, tgtd, store, filesDir, schemaBefore, schema, ourLog, close },
      call: (method, path, body, { project = PROJECT } = {}) => ask(root, project, method, path, body),
      async startOurs({ wait } = { wait: true }) {
        role = startRole('volume', files);
        if (wait) await untilSaid(role, /Ashlar volume is up: up: fake/, 120_000);
      },
      stopOurs: () => end('SIGTERM'),
      killOurs: () => end('SIGKILL'),
      async logs() {
        const theirs = await Promise.all(
          (['cinder-api', 'cinder-scheduler', 'cinder-volume'] as const).map((service) => peer?.log(service)),
        );
        return [(await ourLog()).slice(-20_000), ...theirs, role?.output() ?? ''].join('\n=====\n');
      },
    };
    if (options.ours !== false) {
      await bed.startOurs();
      await untilPools(bed);
    }
    return bed;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until Cinder's scheduler has heard of the backend. */
async function untilPools(bed: BesideCinder): Promise<void> {
  await until(bed, "Cinder's scheduler to know the backend", async () => {
    const { body } = await bed.call('GET', '/scheduler-stats/get_pools');
    return body?.pools?.length > 0 ? true : undefined;
  });
}

/** Asks ten times a second, for a minute; what both sides have logged is in the error. */
export async function until<T>(bed: BesideCinder, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const givenUpAtMs = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > givenUpAtMs) throw new Error(`waited in vain for ${what}\n${await bed.logs()}`);
    await sleep(100);
  }
}

/** What is ours in a second file, over the peer's cinder.conf. */
function ourGroups(tgtd: TestTgtd, filesDir: string, logFile: string) {
  return {
    DEFAULT: {
      ...{ log_file: logFile, report_interval: 2, graceful_shutdown_timeout: 10 },
      // Reported when something changes, and seldom else.
      backend_stats_polling_interval: 60,
    },
    fake: {
      ...{ volume_driver: 'file', file_volumes_dir: filesDir, file_capacity_gb: CAPACITY_GB },
      ...{ target_helper: 'tgtadm', target_ip_address: tgtd.address, target_port: tgtd.daemon.port },
      ...{ tgt_control_port: tgtd.daemon.controlPort, tgt_socket: tgtd.daemon.socket },
    },
  };
}

async function ask(root: string, project: string, method: string, path: string, body: unknown): Promise<Reply> {
  const response = await fetch(`${root}/v3/${project}${path}`, {
    method,
    headers: {
      'x-auth-token': `admin:${project}`,
      'openstack-api-version': 'volume 3.70',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(90_000),
  });
  const text = await response.text();
  try {
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  } catch {
    return { status: response.status, body: text };
  }
}
