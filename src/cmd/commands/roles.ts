import { Command } from 'commander';
import type { CliIo } from '../../cli/index.ts';
import { CliFailure, EXIT } from '../../cli/index.ts';
import { messageOf } from '../../model/errors.ts';

const DEFAULT_FILE = '/etc/ashlar/ashlar.conf';
const VOLUME_SERVICE = 'volume-service';

/** `ashlar scheduler` and `ashlar api`; `ashlar volume --config-file …` too, see roleArguments. */
function roleCommands(io: CliIo, onReady: () => void): Command[] {
  const role = (command: string, name: 'volume' | 'scheduler' | 'api', description: string) =>
    new Command(command)
      .description(description)
      .option('--config-file <file...>', `oslo.config files, later ones win; without any, ${DEFAULT_FILE}`)
      .action(async (options: { configFile?: string[] }) => {
        const { runRole } = await import('../roles/parent.ts');
        io.stdout.on('error', () => {});
        const say = (line: string) => void io.stdout.write(`${line}\n`);
        const configFiles = options.configFile ?? [DEFAULT_FILE];
        const exitCode = await runRole({ role: name, configFiles, say, onReady }).catch((error: unknown) => {
          throw new CliFailure(EXIT.failed, messageOf(error), { cause: error });
        });
        // Nothing that is still open may hold a service that has stopped.
        process.exit(exitCode);
      });
  return [
    role('scheduler', 'scheduler', 'Run the scheduler, in a process of its own'),
    role('api', 'api', 'Run the API, in osapi_volume_workers processes that share one socket'),
    role(VOLUME_SERVICE, 'volume', 'Run the volume services of the enabled backends, a process each'),
  ];
}

/** `volume` alone is a noun of the command line; with a configuration file behind it, it is the service. */
export function roleArguments(argv: readonly string[]): string[] {
  const [noun, option = ''] = argv;
  const isService = noun === 'volume' && (option === '--config-file' || option.startsWith('--config-file='));
  return isService ? [VOLUME_SERVICE, ...argv.slice(1)] : [...argv];
}

/** Hides the name by which the command line finds the volume service. */
export function addRoleCommands(program: Command, io: CliIo, onReady: () => void): void {
  for (const command of roleCommands(io, onReady)) {
    program.addCommand(command, { hidden: command.name() === VOLUME_SERVICE });
  }
  program.commands
    .find((command) => command.name() === 'volume')
    ?.addHelpText(
      'after',
      '\nThe service: ashlar volume --config-file FILE runs the volume service of each enabled backend.',
    );
}
