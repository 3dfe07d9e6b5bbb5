import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { completeAttachment } from './complete-attachment.ts';
import { createAttachment } from './create-attachment.ts';
import { deleteAttachments } from './delete-attachments.ts';
import { listAttachments } from './list-attachments.ts';
import { showAttachment } from './show-attachment.ts';

export function attachmentCommands(io: CliIo): Command {
  const noun = new Command('attachment').description('who may use a volume, and how to connect');
  for (const verb of [createAttachment, listAttachments, showAttachment, completeAttachment, deleteAttachments]) {
    noun.addCommand(verb(io));
  }
  return noun;
}
