import { Argument, Command } from 'commander';
import { type CliIo, print } from '../io.ts';
import { scripts } from './scripts.ts';

/** `completion SHELL`: prints the script that the shell has to read. */
export function completionCommand(io: CliIo): Command {
  return new Command('completion')
    .description('print a script that makes the shell complete commands, options and names')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
bash:  source <(ashlar completion bash)
zsh:   source <(ashlar completion zsh)        (after compinit)
fish:  ashlar completion fish | source`,
    )
    .action((shell: keyof typeof scripts) => print(io, scripts[shell]));
}
