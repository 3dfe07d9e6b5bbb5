import { Command } from 'commander';
import { type ListOptions, withPaging } from '../../arguments.ts';
import type { CliIo } from '../../io.ts';
import { findVolume, looksLikeId } from '../../names.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { Column } from '../../render/record.ts';
import type { MessageJson } from '../../resources.ts';
import { openSession } from '../../session.ts';

const columns: readonly Column<MessageJson>[] = [
  { key: 'created_at', label: 'Created at', value: ({ created_at }) => created_at },
  { key: 'resource_type', label: 'Resource Type', value: ({ resource_type }) => resource_type },
  { key: 'resource_uuid', label: 'Resource ID', value: ({ resource_uuid }) => resource_uuid },
  { key: 'user_message', label: 'Message', value: ({ user_message }) => user_message },
  { key: 'event_id', label: 'Event', value: ({ event_id }) => event_id },
  { key: 'id', label: 'ID', value: ({ id }) => id },
];

const shortColumns = ['created_at', 'resource_type', 'resource_uuid', 'user_message'];

interface Options extends OutputOptions, ListOptions {
  readonly resource?: string;
}

export function listMessages(io: CliIo): Command {
  const command = new Command('list')
    .description('list what went wrong, newest first')
    .option('--resource <volume>', 'messages about this volume, or about any resource by its id');
  return withOutput(withPaging(command)).action(async (options: Options, self: Command) => {
    await printList(io, options, { columns, ...(options.long ? {} : { shown: shortColumns }) }, async () => {
      const client = await openSession(io, self);
      const { resource, marker } = options;
      const id = resource === undefined || looksLikeId(resource) ? resource : (await findVolume(client, resource)).id;
      const query = { resource_uuid: id, marker };
      return client.list<MessageJson>('/messages', 'messages', query, options.limit);
    });
  });
}
