import { Command } from 'commander';
import { type ListOptions, withPaging } from '../../arguments.ts';
import type { CliIo } from '../../io.ts';
import { findAttachment, findVolume, looksLikeId } from '../../names.ts';
import { type OutputOptions, printList, withOutput } from '../../output.ts';
import type { AttachmentJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { attachmentColumns, shortAttachmentColumns } from './columns.ts';

interface Options extends OutputOptions, ListOptions {
  readonly volume?: string;
  readonly status?: string;
}

export function listAttachments(io: CliIo): Command {
  const command = new Command('list')
    .description('list attachments')
    .option('--volume <volume>', 'those of this volume')
    .option('--status <status>', 'those in this status')
    .option('--all-projects', 'those of all projects (administrators)');
  return withOutput(withPaging(command)).action(async (options: Options, self: Command) => {
    const columns = { columns: attachmentColumns, ...(options.long ? {} : { shown: shortAttachmentColumns }) };
    await printList(io, options, columns, async () => {
      const client = await openSession(io, self);
      const { volume, status, marker } = options;
      const query = {
        status,
        volume_id: volume === undefined ? undefined : (await findVolume(client, volume)).id,
        marker: marker === undefined || looksLikeId(marker) ? marker : (await findAttachment(client, marker)).id,
        all_tenants: options.allProjects && 1,
      };
      return client.list<AttachmentJson>('/attachments/detail', 'attachments', query, options.limit);
    });
  });
}
