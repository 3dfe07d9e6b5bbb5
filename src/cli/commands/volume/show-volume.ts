import { Command } from 'commander';
import { withFault } from '../../fault.ts';
import type { CliIo } from '../../io.ts';
import { findVolume } from '../../names.ts';
import { type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { FIELDS } from '../../resources.ts';
import { openSession } from '../../session.ts';

/** `volume show`: of one in an error status also its fault. */
export function showVolume(io: CliIo): Command {
  const command = new Command('show').description('show a volume').argument('<volume>', 'name or id');
  return withOutput(command).action(async (name: string, options: OutputOptions, self: Command) => {
    const client = await openSession(io, self);
    await printRecord(io, options, await withFault(client, await findVolume(client, name)), FIELDS.volume);
  });
}
