import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { findAttachment } from '../../names.ts';
import { openSession } from '../../session.ts';
import { type AttachmentOutputOptions, printAttachment, withAttachmentOutput } from './print-attachment.ts';

export function showAttachment(io: CliIo): Command {
  const command = new Command('show')
    .description('show an attachment and how to connect')
    .argument('<attachment>', 'its id, or a volume that has only this one');
  return withAttachmentOutput(command).action(async (id: string, options: AttachmentOutputOptions, self: Command) => {
    const client = await openSession(io, self);
    await printAttachment(io, options, await findAttachment(client, id));
  });
}
