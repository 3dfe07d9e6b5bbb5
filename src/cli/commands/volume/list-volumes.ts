import { Command } from 'commander';
import { type ListOptions, withPaging } from '../../arguments.ts';
import type { CliIo } from '../../io.ts';
import { findVolume, looksLikeId } from '../../names.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { VolumeJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { shortVolumeColumns, volumeColumns } from './columns.ts';

interface Options extends OutputOptions, ListOptions {
  readonly name?: string;
  readonly status?: string;
}

export function listVolumes(io: CliIo): Command {
  const command = new Command('list')
    .description('list volumes, newest first')
    .option('--name <name>', 'those with this name')
    .option('--status <status>', 'those in this status')
    .option('--all-projects', 'those of all projects (administrators)');
  return withOutput(withPaging(command)).action(async (options: Options, self: Command) => {
    const columns = { columns: volumeColumns, ...(options.long ? {} : { shown: shortVolumeColumns }) };
    await printList(io, options, columns, async () => {
      const client = await openSession(io, self);
      const { marker, name, status } = options;
      const after = marker === undefined || looksLikeId(marker) ? marker : (await findVolume(client, marker)).id;
      const query = { name, status, marker: after, all_tenants: options.allProjects && 1 };
      return client.list<VolumeJson>('/volumes/detail', 'volumes', query, options.limit);
    });
  });
}
