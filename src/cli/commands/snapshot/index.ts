import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { createSnapshot } from './create-snapshot.ts';
import { deleteSnapshots } from './delete-snapshots.ts';
import { listSnapshots } from './list-snapshots.ts';
import { showSnapshot } from './show-snapshot.ts';

export function snapshotCommands(io: CliIo): Command {
  const noun = new Command('snapshot').description('snapshots of volumes');
  for (const verb of [createSnapshot, listSnapshots, showSnapshot, deleteSnapshots]) noun.addCommand(verb(io));
  return noun;
}
