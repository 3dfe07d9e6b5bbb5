import { Command } from 'commander';
import { attachmentCommands } from './commands/attachment/index.ts';
import { explainResource } from './commands/explain-resource.ts';
import { messageCommands } from './commands/message/index.ts';
import { poolCommands } from './commands/pool/index.ts';
import { serviceCommands } from './commands/service/index.ts';
import { showReport } from './commands/show-report.ts';
import { showVersion } from './commands/show-version.ts';
import { snapshotCommands } from './commands/snapshot/index.ts';
import { typeCommands } from './commands/type/index.ts';
import { volumeCommands } from './commands/volume/index.ts';
import { completeWords } from './completion/complete-words.ts';
import { completionCommand } from './completion/completion-command.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import type { CliIo } from './io.ts';

/**
 * The commands that talk to the API. The composition root adds its own to what this returns, then calls runProgram. The
 * options of the program itself may stand anywhere on the command line; read them with `optsWithGlobals()`.
 */
export function buildProgram(io: CliIo): Command {
  const program = new Command('ashlar')
    .description('Ashlar: block storage from the command line')
    .option('--endpoint <url>', 'the API, http://HOST:PORT/v3; else ASHLAR_ENDPOINT, else the node of this machine')
    .option('--token <token>', 'what lets you in; else ASHLAR_TOKEN, else the file admin-token of the state directory')
    .option('--project <project>', 'the project to work in; else ASHLAR_PROJECT')
    .option('--state-dir <directory>', "a node's state directory; else ASHLAR_STATE_DIR, ./var, /var/lib/ashlar")
    .addHelpText('after', EXIT_CODES_HELP);
  for (const noun of [
    volumeCommands,
    snapshotCommands,
    attachmentCommands,
    typeCommands,
    serviceCommands,
    poolCommands,
    messageCommands,
    explainResource,
    showReport,
    showVersion,
    completionCommand,
  ]) {
    program.addCommand(noun(io));
  }
  return program.addCommand(completeWords(io, program), { hidden: true });
}
