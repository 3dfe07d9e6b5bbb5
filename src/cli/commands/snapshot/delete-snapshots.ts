import { Command } from 'commander';
import { type WaitOptions, withWait } from '../../arguments.ts';
import { path } from '../../client.ts';
import type { CliIo } from '../../io.ts';
import { findSnapshot } from '../../names.ts';
import { openSession } from '../../session.ts';
import { requestAll } from '../request-all.ts';
import { requireGone, settle } from '../settle.ts';
import { snapshotWork } from './read-snapshot.ts';

interface Options extends WaitOptions {
  readonly force?: true;
}

/** `snapshot delete`: all are asked for before the first is waited for. */
export function deleteSnapshots(io: CliIo): Command {
  const command = new Command('delete')
    .description('delete snapshots')
    .argument('<snapshots...>', 'names or ids')
    .option('--force', 'whatever their status is (administrators)');
  return withWait(command).action(async (names: string[], options: Options, self: Command) => {
    const client = await openSession(io, self);
    const asked = new Set<string>();
    const request = async (name: string) => {
      const snapshot = await findSnapshot(client, name);
      if (asked.has(snapshot.id)) return null;
      if (options.force) await client.post(path`/snapshots/${snapshot.id}/action`, { 'os-force_delete': {} });
      else await client.delete(path`/snapshots/${snapshot.id}`);
      asked.add(snapshot.id);
      return snapshot;
    };
    await requestAll(io, names, request, async (snapshot) => {
      if (!options.wait) return;
      const work = snapshotWork(client, snapshot, ['deleting']);
      await requireGone(client, work, await settle(io, work, options));
    });
  });
}
