/**
 * A place where a real node can be killed at a fail point and started again, with the database and the target daemon
 * outside of it, so that what it leaves behind can be seen.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/cmd/local/postgres.ts';
import { openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import type { Operation } from '../../src/model/operation.ts';
import { SCHEDULER_TOPIC } from '../../src/rpcapi/requests.ts';
import { eventually, type NodeProcess, startNodeProcess } from './node-process.ts';
import { recorderLog } from './recorder-log.ts';
import { startTestTgtd } from './tgtd.ts';

export const SERVICE_HOST = 'node@file';

export interface Bench {
  readonly store: Store;
  readonly gate: { open(): Promise<void>; close(): Promise<void> };
  start(env?: Readonly<Record<string, string>>): Promise<NodeProcess>;
  /** Names of the points that were passed while the gate was open. */
  trace(): Promise<string[]>;
  /** Returns when no operation is unfinished. */
  settled(): Promise<void>;
  history(resourceId: string): Promise<Operation[]>;
  /** What is on the backend, in the target daemon and in its folder, against what the database says should be. */
  leftovers(): Promise<{ readonly what: string; readonly found: string[]; readonly wanted: string[] }[]>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-bench-'));
  const at = (name: string) => join(directory, name);
  await mkdir(at('state'), { mode: 0o700 });
  const log = recorderLog();
  const postgres = await startEmbeddedPostgres({ stateDir: at('db'), log });
  const tgtd = await startTestTgtd();
  const database = openDatabase({ connection: postgres.connection });
  await dbSync(database);
  const store = createStore(database);
  const { user, password, host, database: name } = postgres.connection;
  const configFile = at('ashlar.conf');
  await writeFile(
    configFile,
    `[DEFAULT]
enabled_backends = file
host = node
# Nothing comes round by itself while a request is traced.
report_interval = 3600
service_down_time = 7200
backend_stats_polling_interval = 3600
quota_volumes = -1
quota_snapshots = -1
quota_gigabytes = -1
[database]
connection = postgresql://${user}:${encodeURIComponent(password)}@/${name}?host=${encodeURIComponent(host)}
[file]
volume_driver = file
file_volumes_dir = ${at('volumes')}
target_helper = tgtadm
target_ip_address = ${tgtd.address}
target_port = ${tgtd.daemon.port}
tgt_control_port = ${tgtd.daemon.controlPort}
tgt_socket = ${tgtd.daemon.socket}
volumes_dir = ${at('exports')}
`,
    { mode: 0o600 },
  );

  return {
    store,
    gate: {
      open: () => writeFile(at('gate'), ''),
      close: () => rm(at('gate'), { force: true }),
    },
    start: (env = {}) =>
      startNodeProcess({
        stateDir: at('state'),
        configFile,
        env: { ASHLAR_FAILPOINT_GATE: at('gate'), ASHLAR_FAILPOINT_TRACE: at('trace'), ...env },
      }),
    async trace() {
      const text = await readFile(at('trace'), 'utf8').catch(() => '');
      await rm(at('trace'), { force: true });
      return text.split('\n').filter((line) => line !== '');
    },
    async settled() {
      await eventually('every operation to end', async () => {
        // In the order in which an operation is handed on, so that it cannot slip by in between.
        const scheduling = await store.operations.listUnfinished(SCHEDULER_TOPIC, 10);
        const working = await store.operations.listUnfinished(SERVICE_HOST, 10);
        return scheduling.length + working.length === 0 ? true : undefined;
      });
    },
    history: (resourceId) => store.operations.history(resourceId, 20),
    async leftovers() {
      const volumes = await store.volumes.list({ projectId: null });
      const snapshots = await store.snapshots.list({ projectId: null });
      const exported = volumes.filter(({ providerLocation }) => providerLocation !== null);
      const exportNames = exported.map(({ id }) => `volume-${id}`).sort();
      const files = async (name: string) => {
        const entries = await readdir(at(name), { recursive: true, withFileTypes: true }).catch(() => []);
        return entries
          .filter((entry) => entry.isFile())
          .map((entry) => entry.name)
          .sort();
      };
      return [
        {
          what: 'files of volumes and snapshots, half-made ones included',
          found: await files('volumes'),
          wanted: [...volumes.map(({ id }) => `volume-${id}`), ...snapshots.map(({ id }) => `snapshot-${id}`)].sort(),
        },
        { what: 'files of exports', found: await files('exports'), wanted: exportNames },
        {
          what: 'targets',
          found: (await tgtd.targets()).map(({ iqn }) => iqn.slice(iqn.indexOf(':') + 1)).sort(),
          wanted: exportNames,
        },
        {
          what: 'CHAP accounts',
          found: (await tgtd.accounts()).sort(),
          wanted: exported.map(({ providerAuth }) => providerAuth!.split(' ')[1]!).sort(),
        },
      ];
    },
    async close() {
      await store.close();
      await tgtd.close();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
