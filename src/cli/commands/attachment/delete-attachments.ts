import { Command } from 'commander';
import { type WaitOptions, withWait } from '../../arguments.ts';
import { path } from '../../client.ts';
import type { CliIo } from '../../io.ts';
import { findAttachment, orNull } from '../../names.ts';
import type { AttachmentJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { waitWhile } from '../../wait.ts';
import { requestAll } from '../request-all.ts';
import { failedWork } from '../settle.ts';

/** `attachment delete`: the initiator is shut out, and with the last one the export goes. */
export function deleteAttachments(io: CliIo): Command {
  const command = new Command('delete')
    .description('end the use of a volume')
    .argument('<attachments...>', 'ids, or volumes that have only one');
  return withWait(command).action(async (names: string[], options: WaitOptions, self: Command) => {
    const client = await openSession(io, self);
    const request = async (name: string) => {
      const attachment = await findAttachment(client, name);
      await client.delete(path`/attachments/${attachment.id}`);
      return attachment;
    };
    await requestAll(io, names, request, async ({ id, volume_id }) => {
      if (!options.wait) return;
      const left = await waitWhile(io, {
        what: `attachment ${id}`,
        look: `ashlar attachment show ${id}`,
        limitMs: options.timeout * 1000,
        read: () => orNull(client.get<AttachmentJson>(path`/attachments/${id}`, 'attachment')),
        statusOf: ({ status }) => status,
        isAtWork: (attachment) => ['detaching', 'deleting'].includes(attachment?.status ?? ''),
      });
      if (left === null || ['deleted', 'detached'].includes(left.status)) return;
      throw await failedWork(client, volume_id, `attachment ${id} was not deleted, it is '${left.status}'`);
    });
  });
}
