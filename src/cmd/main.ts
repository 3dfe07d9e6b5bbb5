/** Reads argv, env and the terminal, and runs the command that is asked for. */
import packageFile from '../../package.json' with { type: 'json' };
import { buildProgram, type CliIo, runProgram } from '../cli/index.ts';
import { armFromEnvironment } from './arm-failpoints.ts';
import { configCommand } from './commands/config.ts';
import { dbCommand } from './commands/db.ts';
import { nodeCommand } from './commands/node.ts';
import { addRoleCommands, roleArguments } from './commands/roles.ts';
import { rpcCommand } from './commands/rpc.ts';

/** Answers the exit code. `onReady` is called when a service that keeps running is up. */
export async function main({ onReady }: { readonly onReady: () => void }): Promise<number> {
  armFromEnvironment(process.env);
  const io: CliIo = {
    argv: roleArguments(process.argv.slice(2)),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isTty: process.stderr.isTTY === true,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    stateDirs: ['var', '/var/lib/ashlar'],
    version: packageFile.version,
  };
  const program = buildProgram(io);
  for (const command of [nodeCommand(io, onReady), dbCommand(io), configCommand(io), rpcCommand(io)]) {
    program.addCommand(command);
  }
  addRoleCommands(program, io, onReady);
  return await runProgram(program, io);
}
