import { Command, Option } from 'commander';
import { keyValue, type WaitOptions, wholeGib, withWait } from '../../arguments.ts';
import type { Client } from '../../client.ts';
import { CliFailure, EXIT } from '../../exit-codes.ts';
import { withFault } from '../../fault.ts';
import type { CliIo } from '../../io.ts';
import { findSnapshot, findVolume } from '../../names.ts';
import { checkFields, type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { FIELDS, type VolumeJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { requireSuccess, settle } from '../settle.ts';
import { volumeWork } from './read-volume.ts';

interface Options extends OutputOptions, WaitOptions {
  readonly size?: number;
  readonly name?: string;
  readonly snapshot?: string;
  readonly source?: string;
  readonly type?: string;
  readonly availabilityZone?: string;
  readonly description?: string;
  readonly property?: Readonly<Record<string, string>>;
  readonly multiattach?: true;
}

/** `volume create`: prints the volume; one that ends in error is printed too, with its fault, so that it can be deleted. */
export function createVolume(io: CliIo): Command {
  const command = new Command('create')
    .description('make a volume: empty, or with the bytes of a snapshot or of another volume')
    .option('--size <gib>', 'size in GiB; with --snapshot or --source their size unless given', wholeGib)
    .option('--name <name>', 'name of the volume')
    .addOption(new Option('--snapshot <snapshot>', 'start with the bytes of this snapshot').conflicts('source'))
    .option('--source <volume>', 'start with the bytes of this volume')
    .option('--type <type>', 'volume type')
    .option('--availability-zone <zone>', 'availability zone')
    .option('--description <text>', 'description')
    .option('--property <key=value>', 'metadata; may be given several times', keyValue)
    .option('--multiattach', 'several consumers may have it at once');
  return withOutput(withWait(command)).action(async (options: Options, self: Command) => {
    if (options.size === undefined && options.snapshot === undefined && options.source === undefined) {
      throw new CliFailure(EXIT.usage, 'How large? Give --size GIB, or --snapshot or --source.');
    }
    checkFields(options, FIELDS.volume);
    const client = await openSession(io, self);
    const volume = await client.create<VolumeJson>('/volumes', 'volume', await describe(client, options));
    if (!options.wait) return printRecord(io, options, volume, FIELDS.volume);
    const work = volumeWork(client, volume, ['creating', 'downloading']);
    const ended = await settle(io, work, options);
    if (ended !== null) await printRecord(io, options, await withFault(client, ended), FIELDS.volume);
    await requireSuccess(client, work, ended);
  });
}

async function describe(client: Client, options: Options): Promise<object> {
  const given = {
    size: options.size,
    name: options.name,
    description: options.description,
    volume_type: options.type,
    availability_zone: options.availabilityZone,
    metadata: options.property,
    multiattach: options.multiattach,
  };
  if (options.snapshot !== undefined) {
    const snapshot = await findSnapshot(client, options.snapshot);
    return { ...given, snapshot_id: snapshot.id, size: options.size ?? snapshot.size };
  }
  if (options.source !== undefined) {
    const source = await findVolume(client, options.source);
    return { ...given, source_volid: source.id, size: options.size ?? source.size };
  }
  return given;
}
