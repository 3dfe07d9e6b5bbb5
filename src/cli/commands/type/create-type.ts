import { Command } from 'commander';
import { keyValue } from '../../arguments.ts';
import type { CliIo } from '../../io.ts';
import { checkFields, type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { FIELDS, type TypeJson } from '../../resources.ts';
import { openSession } from '../../session.ts';

interface Options extends OutputOptions {
  readonly description?: string;
  readonly property?: Readonly<Record<string, string>>;
  readonly private?: true;
}

export function createType(io: CliIo): Command {
  const command = new Command('create')
    .description('make a volume type (administrators)')
    .argument('<name>', 'name of the type')
    .option('--description <text>', 'description')
    .option('--property <key=value>', 'extra spec, what it asks of a backend; may be given several times', keyValue)
    .option('--private', 'not for every project');
  return withOutput(command).action(async (name: string, options: Options, self: Command) => {
    checkFields(options, FIELDS.type);
    const client = await openSession(io, self);
    const type = await client.create<TypeJson>('/types', 'volume_type', {
      name,
      description: options.description,
      'os-volume-type-access:is_public': !options.private,
      extra_specs: options.property,
    });
    await printRecord(io, options, type, FIELDS.type);
  });
}
