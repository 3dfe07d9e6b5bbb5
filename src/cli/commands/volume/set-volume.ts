import { Command, Option } from 'commander';
import { collect, keyValue } from '../../arguments.ts';
import { path } from '../../client.ts';
import { CliFailure, EXIT } from '../../exit-codes.ts';
import type { CliIo } from '../../io.ts';
import { findVolume } from '../../names.ts';
import { openSession } from '../../session.ts';

interface Options {
  readonly name?: string;
  readonly description?: string;
  readonly property?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
  readonly bootable?: true;
  readonly nonBootable?: true;
  readonly state?: string;
}

/** `volume set`. Several changes are several requests, in a fixed order; the first that is refused ends the command. */
export function setVolume(io: CliIo): Command {
  return new Command('set')
    .description('change a volume')
    .argument('<volume>', 'name or id')
    .option('--name <name>', 'new name')
    .option('--description <text>', 'new description')
    .option('--property <key=value>', 'set metadata; may be given several times', keyValue)
    .option('--unset <key>', 'remove metadata; may be given several times', collect)
    .addOption(new Option('--bootable', 'mark as bootable').conflicts('nonBootable'))
    .option('--non-bootable', 'mark as not bootable')
    .option('--state <status>', 'reset the status without touching the backend (administrators)')
    .action(async (nameOrId: string, options: Options, self: Command) => {
      if (Object.keys(options).length === 0) throw new CliFailure(EXIT.usage, 'Nothing to set. See --help.');
      const client = await openSession(io, self);
      const { id } = await findVolume(client, nameOrId);
      const { name, description, property, unset = [], bootable, nonBootable, state } = options;
      if (name !== undefined || description !== undefined) {
        await client.put(path`/volumes/${id}`, { volume: { name, description } });
      }
      if (property !== undefined) await client.post(path`/volumes/${id}/metadata`, { metadata: property });
      for (const key of unset) await client.delete(path`/volumes/${id}/metadata/${key}`);
      if (bootable || nonBootable) {
        await client.post(path`/volumes/${id}/action`, { 'os-set_bootable': { bootable: bootable === true } });
      }
      if (state !== undefined) {
        await client.post(path`/volumes/${id}/action`, { 'os-reset_status': { status: state } });
      }
    });
}
