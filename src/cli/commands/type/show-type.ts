import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { findType } from '../../names.ts';
import { type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { FIELDS } from '../../resources.ts';
import { openSession } from '../../session.ts';

export function showType(io: CliIo): Command {
  const command = new Command('show').description('show a volume type').argument('<type>', 'name or id');
  return withOutput(command).action(async (name: string, options: OutputOptions, self: Command) => {
    const client = await openSession(io, self);
    await printRecord(io, options, await findType(client, name), FIELDS.type);
  });
}
