import { Command } from 'commander';
import { collect, keyValue } from '../../arguments.ts';
import { path } from '../../client.ts';
import { CliFailure, EXIT } from '../../exit-codes.ts';
import type { CliIo } from '../../io.ts';
import { findType } from '../../names.ts';
import { openSession } from '../../session.ts';

interface Options {
  readonly name?: string;
  readonly description?: string;
  readonly property?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
}

/** `type set`. Several changes are several requests, in a fixed order; the first that is refused ends the command. */
export function setType(io: CliIo): Command {
  return new Command('set')
    .description('change a volume type (administrators)')
    .argument('<type>', 'name or id')
    .option('--name <name>', 'new name')
    .option('--description <text>', 'new description')
    .option('--property <key=value>', 'set an extra spec; may be given several times', keyValue)
    .option('--unset <key>', 'remove an extra spec; may be given several times', collect)
    .action(async (nameOrId: string, options: Options, self: Command) => {
      if (Object.keys(options).length === 0) throw new CliFailure(EXIT.usage, 'Nothing to set. See --help.');
      const client = await openSession(io, self);
      const { id } = await findType(client, nameOrId);
      const { name, description, property, unset = [] } = options;
      if (name !== undefined || description !== undefined) {
        await client.put(path`/types/${id}`, { volume_type: { name, description } });
      }
      if (property !== undefined) await client.post(path`/types/${id}/extra_specs`, { extra_specs: property });
      for (const key of unset) await client.delete(path`/types/${id}/extra_specs/${key}`);
    });
}
