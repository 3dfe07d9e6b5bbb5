/** Compares what a database says with what is on disk and in the target daemon, and with what the API promised. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAccounts, parseTargets } from '../../drivers/target/tgt/show.ts';
import { openDatabase } from '../../src/db/connection.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { pathOf } from '../../src/exec/executor.ts';
import type { Volume } from '../../src/model/volume.ts';
import { SCHEDULER_TOPIC } from '../../src/rpcapi/requests.ts';
import type { Load, Promises } from './load.ts';
import { eventually } from './node-process.ts';

export interface Exports {
  /** Names of the volumes, sorted. */
  readonly targets: readonly string[];
  /** CHAP accounts, sorted. */
  readonly accounts: readonly string[];
}

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
export async function exportsOf(stateDir: string): Promise<Exports> {
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

/**
 * Waits until every operation has ended, then: every row is in a final status, what was promised is there and what was
 * taken back is not, files and exports are those of the rows. Answers the volumes.
 */
export async function auditPromises(parts: {
  readonly store: Store;
  readonly serviceHost: string;
  /** Names of the files of volumes and snapshots, sorted. */
  readonly files: () => Promise<readonly string[]>;
  readonly exports: () => Promise<Exports>;
  readonly promised: Pick<Load, 'volumes' | 'snapshots'>;
}): Promise<readonly Volume[]> {
  const { store, promised } = parts;
  await allEnded(store, parts.serviceHost);
  const rows = await store.volumes.list({ projectId: null });
  const snapshots = await store.snapshots.list({ projectId: null });
  const attachments = await store.attachments.list({ projectId: null });
  const odd = [
    ...rows.filter(({ status }) => !['available', 'reserved', 'attaching', 'in-use'].includes(status)),
    ...snapshots.filter(({ status }) => status !== 'available'),
  ].map(({ id, status }) => `${id} ${status}`);
  assert.deepEqual(odd, [], 'not in a final status');
  for (const { attachStatus } of attachments) {
    assert.ok(['reserved', 'attaching', 'attached'].includes(attachStatus), attachStatus);
  }
  kept(promised.volumes, new Set(rows.map(({ id }) => id)), 'volume');
  kept(promised.snapshots, new Set(snapshots.map(({ id }) => id)), 'snapshot');

  const names = [...rows.map(({ id }) => `volume-${id}`), ...snapshots.map(({ id }) => `snapshot-${id}`)];
  assert.deepEqual(await parts.files(), names.sort());
  const exported = rows.filter(({ providerLocation }) => providerLocation !== null);
  assert.deepEqual(await parts.exports(), {
    targets: exported.map(({ id }) => `volume-${id}`).sort(),
    accounts: exported.map(({ providerAuth }) => providerAuth!.split(' ')[1]!).sort(),
  });
  const used = new Set(attachments.filter(({ connector }) => connector !== null).map(({ volumeId }) => volumeId));
  assert.deepEqual(exported.map(({ id }) => id).sort(), [...used].sort(), 'exported are those that somebody has');
  return rows;
}

function kept({ made, deleted, unclear }: Promises, there: ReadonlySet<string>, what: string): void {
  for (const id of made) {
    if (deleted.has(id)) assert.ok(!there.has(id), `${what} ${id} is there, and its delete was taken`);
    else if (!unclear.has(id)) assert.ok(there.has(id), `${what} ${id} was promised and is not there`);
  }
}
