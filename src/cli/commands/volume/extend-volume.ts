import { Command } from 'commander';
import { type WaitOptions, wholeGib, withWait } from '../../arguments.ts';
import { path } from '../../client.ts';
import type { CliIo } from '../../io.ts';
import { findVolume } from '../../names.ts';
import { openSession } from '../../session.ts';
import { failedWork, labelOf, requireSuccess, settle } from '../settle.ts';
import { volumeWork } from './read-volume.ts';

/** `volume extend`. A volume that is back in its old status with its old size was not extended: that is a failure. */
export function extendVolume(io: CliIo): Command {
  const command = new Command('extend')
    .description('make a volume larger')
    .argument('<volume>', 'name or id')
    .argument('<size>', 'new size in GiB', wholeGib);
  return withWait(command).action(async (name: string, sizeGib: number, options: WaitOptions, self: Command) => {
    const client = await openSession(io, self);
    const volume = await findVolume(client, name);
    await client.post(path`/volumes/${volume.id}/action`, { 'os-extend': { new_size: sizeGib } });
    if (!options.wait) return;
    const work = volumeWork(client, volume, ['extending']);
    const ended = await requireSuccess(client, work, await settle(io, work, options));
    if (ended.size >= sizeGib) return;
    throw await failedWork(
      client,
      volume.id,
      `${labelOf('volume', volume)} was not extended, it has ${ended.size} GiB`,
    );
  });
}
