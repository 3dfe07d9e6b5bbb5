import { Command } from 'commander';
import { type WaitOptions, withWait } from '../../arguments.ts';
import { type Client, path } from '../../client.ts';
import type { CliIo } from '../../io.ts';
import { findVolume } from '../../names.ts';
import { openSession } from '../../session.ts';
import { requestAll } from '../request-all.ts';
import { requireGone, settle } from '../settle.ts';
import { volumeWork } from './read-volume.ts';

interface Options extends WaitOptions {
  readonly cascade?: true;
  readonly force?: true;
}

/** `volume delete`: all are asked for before the first is waited for. */
export function deleteVolumes(io: CliIo): Command {
  const command = new Command('delete')
    .description('delete volumes')
    .argument('<volumes...>', 'names or ids')
    .option('--cascade', 'with their snapshots')
    .option('--force', 'whatever their status is (administrators)');
  return withWait(command).action(async (names: string[], options: Options, self: Command) => {
    const client = await openSession(io, self);
    const asked = new Set<string>();
    const request = async (name: string) => {
      const volume = await findVolume(client, name);
      if (asked.has(volume.id)) return null;
      await requestDelete(client, volume.id, options);
      asked.add(volume.id);
      return volume;
    };
    await requestAll(io, names, request, async (volume) => {
      if (!options.wait) return;
      const work = volumeWork(client, volume, ['deleting']);
      await requireGone(client, work, await settle(io, work, options));
    });
  });
}

async function requestDelete(client: Client, id: string, { cascade, force }: Options): Promise<void> {
  if (force && !cascade) await client.post(path`/volumes/${id}/action`, { 'os-force_delete': {} });
  else await client.delete(path`/volumes/${id}`, { cascade, force });
}
