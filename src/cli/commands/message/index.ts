import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { listMessages } from './list-messages.ts';

export function messageCommands(io: CliIo): Command {
  return new Command('message').description('what went wrong, and why').addCommand(listMessages(io));
}
