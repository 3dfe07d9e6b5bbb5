import { Command } from 'commander';
import { path } from '../../client.ts';
import type { CliIo } from '../../io.ts';
import { findType } from '../../names.ts';
import { openSession } from '../../session.ts';
import { requestAll } from '../request-all.ts';

export function deleteTypes(io: CliIo): Command {
  return new Command('delete')
    .description('delete volume types (administrators)')
    .argument('<types...>', 'names or ids')
    .action(async (names: string[], _options: object, self: Command) => {
      const client = await openSession(io, self);
      const request = async (name: string) => {
        const { id } = await findType(client, name);
        await client.delete(path`/types/${id}`);
        return null;
      };
      await requestAll(io, names, request, async () => {});
    });
}
