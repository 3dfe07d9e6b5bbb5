import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { Column } from '../../render/record.ts';
import type { PoolJson } from '../../resources.ts';
import { openSession } from '../../session.ts';

function capability(key: string, label: string): Column<PoolJson> {
  return { key, label, value: ({ capabilities }) => capabilities?.[key] };
}

/** Capacities are GiB, or the words `infinite` and `unknown`. */
const columns: readonly Column<PoolJson>[] = [
  { key: 'name', label: 'Name', value: ({ name }) => name },
  capability('backend_state', 'State'),
  capability('storage_protocol', 'Protocol'),
  capability('total_capacity_gb', 'Total'),
  capability('free_capacity_gb', 'Free'),
  capability('allocated_capacity_gb', 'Allocated'),
  capability('provisioned_capacity_gb', 'Provisioned'),
  capability('reserved_percentage', 'Reserved %'),
  capability('max_over_subscription_ratio', 'Over-subscription'),
  capability('thin_provisioning_support', 'Thin'),
  capability('total_volumes', 'Volumes'),
  { key: 'capabilities', label: 'Capabilities', value: ({ capabilities }) => capabilities },
];

const shortColumns = ['name'];
const detailColumns = columns.map(({ key }) => key).filter((key) => key !== 'capabilities');

interface Options extends OutputOptions {
  readonly detail?: true;
}

/** `pool list`: as the scheduler knows them. `-c capabilities -f json` is all that a backend reports. */
export function listPools(io: CliIo): Command {
  const command = new Command('list')
    .description('list the pools that the scheduler knows (administrators)')
    .option('--detail', 'with capacities, in GiB');
  return withOutput(command).action(async (options: Options, self: Command) => {
    await printList(io, options, { columns, shown: options.detail ? detailColumns : shortColumns }, async () => {
      const client = await openSession(io, self);
      const detail = options.detail || options.column !== undefined ? 'true' : undefined;
      return client.list<PoolJson>('/scheduler-stats/get_pools', 'pools', { detail });
    });
  });
}
