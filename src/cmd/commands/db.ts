import { Command } from 'commander';
import type { CliIo } from '../../cli/index.ts';
import { CliFailure, EXIT } from '../../cli/index.ts';
import { messageOf } from '../../model/errors.ts';

/** `ashlar db sync`: creates or upgrades the database that the configuration names. */
export function dbCommand(io: CliIo): Command {
  const sync = new Command('sync')
    .description('Create or upgrade the tables of the database that the configuration names')
    .option('--config-file <file...>', 'oslo.config files, later ones win')
    .action(async (options: { configFile?: string[] }) => {
      try {
        io.stdout.write(`${await syncDatabase(options.configFile ?? ['/etc/ashlar/ashlar.conf'])}\n`);
      } catch (error) {
        throw new CliFailure(EXIT.failed, messageOf(error), { cause: error });
      }
    });
  return new Command('db').description('The database').addCommand(sync);
}

async function syncDatabase(files: readonly string[]): Promise<string> {
  const [{ loadConfig }, { openDatabase }, { dbSync }, { databaseOptions }, { optionGroups }] = await Promise.all([
    import('../../config/load.ts'),
    import('../../db/connection.ts'),
    import('../../db/migrate.ts'),
    import('../../db/options.ts'),
    import('../options.ts'),
  ]);
  const config = await loadConfig({ files, known: optionGroups });
  const { connection } = config.section('database', databaseOptions);
  config.finish();
  if (connection === null) {
    throw new Error('connection of [database] is not set. A node with a database of its own upgrades it at its start.');
  }
  const database = openDatabase({ connection });
  try {
    const { from, to, steps } = await dbSync(database);
    if (steps.length === 0) return `${database.address} is at version ${to} already.`;
    return `${database.address}: ${from === null ? 'made' : `upgraded from version ${from}`}, now at version ${to}.`;
  } finally {
    await database.close();
  }
}
