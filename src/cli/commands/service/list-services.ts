import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { Column } from '../../render/record.ts';
import type { ServiceJson } from '../../resources.ts';
import { openSession } from '../../session.ts';

const columns: readonly Column<ServiceJson>[] = [
  { key: 'binary', label: 'Binary', value: ({ binary }) => binary },
  { key: 'host', label: 'Host', value: ({ host }) => host },
  { key: 'zone', label: 'Zone', value: ({ zone }) => zone },
  { key: 'status', label: 'Status', value: ({ status }) => status },
  { key: 'state', label: 'State', value: ({ state }) => state },
  { key: 'updated_at', label: 'Updated_at', value: ({ updated_at }) => updated_at },
  { key: 'cluster', label: 'Cluster', value: ({ cluster }) => cluster },
  { key: 'disabled_reason', label: 'Disabled Reason', value: ({ disabled_reason }) => disabled_reason },
];

interface Options extends OutputOptions {
  readonly host?: string;
  readonly binary?: string;
}

export function listServices(io: CliIo): Command {
  const command = new Command('list')
    .description('list the services and whether they are up')
    .option('--host <host>', 'those on this host')
    .option('--binary <name>', 'those of this name, such as cinder-volume');
  return withOutput(command).action(async (options: Options, self: Command) => {
    await printList(io, options, { columns }, async () => {
      const client = await openSession(io, self);
      return client.list<ServiceJson>('/os-services', 'services', { host: options.host, binary: options.binary });
    });
  });
}
