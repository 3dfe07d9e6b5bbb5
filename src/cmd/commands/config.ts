import { Command } from 'commander';
import type { CliIo } from '../../cli/index.ts';

/** `ashlar config sample`: every option, with its help and its default. */
export function configCommand(io: CliIo): Command {
  const sample = new Command('sample')
    .description('Print a configuration file with every option at its default')
    .action(async () => {
      const [{ renderSample }, { optionGroups }] = await Promise.all([
        import('../../config/sample.ts'),
        import('../options.ts'),
      ]);
      io.stdout.write(renderSample(optionGroups));
    });
  return new Command('config').description('The configuration').addCommand(sample);
}
