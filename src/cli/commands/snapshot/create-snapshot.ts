import { Command } from 'commander';
import { keyValue, type WaitOptions, withWait } from '../../arguments.ts';
import { withFault } from '../../fault.ts';
import type { CliIo } from '../../io.ts';
import { findVolume } from '../../names.ts';
import { checkFields, type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { FIELDS, type SnapshotJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { requireSuccess, settle } from '../settle.ts';
import { snapshotWork } from './read-snapshot.ts';

interface Options extends OutputOptions, WaitOptions {
  readonly name?: string;
  readonly description?: string;
  readonly property?: Readonly<Record<string, string>>;
}

/** `snapshot create`: prints the snapshot, also one that ends in error. */
export function createSnapshot(io: CliIo): Command {
  const command = new Command('create')
    .description('keep the bytes of a volume as they are now')
    .argument('<volume>', 'name or id')
    .option('--name <name>', 'name of the snapshot')
    .option('--description <text>', 'description')
    .option('--property <key=value>', 'metadata; may be given several times', keyValue);
  return withOutput(withWait(command)).action(async (volumeName: string, options: Options, self: Command) => {
    checkFields(options, FIELDS.snapshot);
    const client = await openSession(io, self);
    const volume = await findVolume(client, volumeName);
    const { name, description, property: metadata } = options;
    const wanted = { volume_id: volume.id, name, description, metadata };
    const snapshot = await client.create<SnapshotJson>('/snapshots', 'snapshot', wanted);
    if (!options.wait) return printRecord(io, options, snapshot, FIELDS.snapshot);
    const work = snapshotWork(client, snapshot, ['creating']);
    const ended = await settle(io, work, options);
    if (ended !== null) await printRecord(io, options, await withFault(client, ended), FIELDS.snapshot);
    await requireSuccess(client, work, ended);
  });
}
