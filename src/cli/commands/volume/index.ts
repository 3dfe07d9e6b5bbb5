import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { createVolume } from './create-volume.ts';
import { deleteVolumes } from './delete-volumes.ts';
import { extendVolume } from './extend-volume.ts';
import { listVolumes } from './list-volumes.ts';
import { setVolume } from './set-volume.ts';
import { showVolume } from './show-volume.ts';

export function volumeCommands(io: CliIo): Command {
  const noun = new Command('volume').description('volumes');
  for (const verb of [createVolume, listVolumes, showVolume, setVolume, extendVolume, deleteVolumes]) {
    noun.addCommand(verb(io));
  }
  return noun;
}
