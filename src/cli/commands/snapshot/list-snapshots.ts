import { Command } from 'commander';
import { type ListOptions, withPaging } from '../../arguments.ts';
import type { CliIo } from '../../io.ts';
import { findSnapshot, findVolume, looksLikeId } from '../../names.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { SnapshotJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { shortSnapshotColumns, snapshotColumns } from './columns.ts';

interface Options extends OutputOptions, ListOptions {
  readonly volume?: string;
  readonly name?: string;
  readonly status?: string;
}

export function listSnapshots(io: CliIo): Command {
  const command = new Command('list')
    .description('list snapshots, newest first')
    .option('--volume <volume>', 'those of this volume')
    .option('--name <name>', 'those with this name')
    .option('--status <status>', 'those in this status')
    .option('--all-projects', 'those of all projects (administrators)');
  return withOutput(withPaging(command)).action(async (options: Options, self: Command) => {
    const columns = { columns: snapshotColumns, ...(options.long ? {} : { shown: shortSnapshotColumns }) };
    await printList(io, options, columns, async () => {
      const client = await openSession(io, self);
      const { marker, name, status, volume } = options;
      const query = {
        name,
        status,
        volume_id: volume === undefined ? undefined : (await findVolume(client, volume)).id,
        marker: marker === undefined || looksLikeId(marker) ? marker : (await findSnapshot(client, marker)).id,
        all_tenants: options.allProjects && 1,
      };
      return client.list<SnapshotJson>('/snapshots/detail', 'snapshots', query, options.limit);
    });
  });
}
