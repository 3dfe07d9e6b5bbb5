import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { createType } from './create-type.ts';
import { deleteTypes } from './delete-types.ts';
import { listTypes } from './list-types.ts';
import { setType } from './set-type.ts';
import { showType } from './show-type.ts';

export function typeCommands(io: CliIo): Command {
  const noun = new Command('type').description('volume types');
  for (const verb of [createType, listTypes, showType, setType, deleteTypes]) noun.addCommand(verb(io));
  return noun;
}
