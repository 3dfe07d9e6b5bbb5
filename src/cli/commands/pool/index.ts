import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { listPools } from './list-pools.ts';

export function poolCommands(io: CliIo): Command {
  return new Command('pool').description('where volumes can be placed').addCommand(listPools(io));
}
