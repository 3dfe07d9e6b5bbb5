/** Compares what a whole node's database says with what is on its disk and in its target daemon. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAccounts, parseTargets } from '../../drivers/target/tgt/show.ts';
import { openDatabase } from '../../src/db/connection.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { pathOf } from '../../src/exec/executor.ts';
import { SCHEDULER_TOPIC } from '../../src/rpcapi/requests.ts';
import { eventually } from './node-process.ts';

/** Opens the database of the node that runs on a state directory. Close it before the node stops. */
export async function openNodeStore(stateDir: string): Promise<Store> {
  const password = (await readFile(join(stateDir, 'postgres.password'), 'utf8')).trim();
  const server = { host: join(stateDir, 'run'), port: 5432, user: 'ashlar', password, database: 'ashlar' };
  return createStore(openDatabase({ connection: server, maxPoolSize: 1 }));
}

/** Returns when no operation is unfinished. */
export async function allEnded(store: Store, serviceHost: string, limitMs = 60_000): Promise<void> {
  await eventually(
    'every operation to end',
    async () => {
      // In the order in which an operation is handed on, so that it cannot slip by in between.
      const scheduling = await store.operations.listUnfinished(SCHEDULER_TOPIC, 1);
      const working = await store.operations.listUnfinished(serviceHost, 1);
      return scheduling.length + working.length === 0 ? true : undefined;
    },
    limitMs,
  );
}

/** Names of the volume and snapshot files below a folder, half-made ones included. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** What the node's own tgtd exports: names of volumes, and of CHAP accounts. */
export async function exportsOf(
  stateDir: string,
): Promise<{ readonly targets: string[]; readonly accounts: string[] }> {
  const ask = async (mode: string) => {
    const { stdout } = await promisify(execFile)(
      pathOf('tgtadm')!,
      ['--control-port', '1', '--lld', 'iscsi', '--op', 'show', '--mode', mode],
      { env: { TGT_IPC_SOCKET: join(stateDir, 'run/tgtd') }, timeout: 20_000, maxBuffer: 64 << 20 },
    );
    return stdout;
  };
  const targets = parseTargets(await ask('target')).map(({ iqn }) => iqn.slice(iqn.indexOf(':') + 1));
  return { targets: targets.sort(), accounts: parseAccounts(await ask('account')).sort() };
}
