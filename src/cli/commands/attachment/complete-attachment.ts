import { Command } from 'commander';
import { path } from '../../client.ts';
import type { CliIo } from '../../io.ts';
import { findAttachment } from '../../names.ts';
import { openSession } from '../../session.ts';

export function completeAttachment(io: CliIo): Command {
  return new Command('complete')
    .description('say that the initiator has connected: the volume is in use')
    .argument('<attachment>', 'its id, or a volume that has only this one')
    .action(async (id: string, _options: object, self: Command) => {
      const client = await openSession(io, self);
      const attachment = await findAttachment(client, id);
      await client.post(path`/attachments/${attachment.id}/action`, { 'os-complete': {} });
    });
}
