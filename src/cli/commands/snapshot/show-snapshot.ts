import { Command } from 'commander';
import { withFault } from '../../fault.ts';
import type { CliIo } from '../../io.ts';
import { findSnapshot } from '../../names.ts';
import { type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { FIELDS } from '../../resources.ts';
import { openSession } from '../../session.ts';

/** `snapshot show`: of one in an error status also its fault. */
export function showSnapshot(io: CliIo): Command {
  const command = new Command('show').description('show a snapshot').argument('<snapshot>', 'name or id');
  return withOutput(command).action(async (name: string, options: OutputOptions, self: Command) => {
    const client = await openSession(io, self);
    await printRecord(io, options, await withFault(client, await findSnapshot(client, name)), FIELDS.snapshot);
  });
}
