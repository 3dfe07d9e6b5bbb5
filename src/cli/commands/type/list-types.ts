import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { Column } from '../../render/record.ts';
import type { TypeJson } from '../../resources.ts';
import { openSession } from '../../session.ts';

const columns: readonly Column<TypeJson>[] = [
  { key: 'id', label: 'ID', value: ({ id }) => id },
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'is_public', label: 'Is Public', value: ({ is_public }) => is_public },
  { key: 'description', label: 'Description', value: ({ description }) => description },
  { key: 'extra_specs', label: 'Properties', value: ({ extra_specs }) => extra_specs },
];

const shortColumns = ['id', 'name', 'is_public'];

interface Options extends OutputOptions {
  readonly long?: true;
}

export function listTypes(io: CliIo): Command {
  const command = new Command('list').description('list volume types').option('--long', 'more columns');
  return withOutput(command).action(async (options: Options, self: Command) => {
    await printList(io, options, { columns, ...(options.long ? {} : { shown: shortColumns }) }, async () => {
      const client = await openSession(io, self);
      return client.list<TypeJson>('/types', 'volume_types', { is_public: 'None' });
    });
  });
}
