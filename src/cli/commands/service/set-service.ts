import { Command, Option } from 'commander';
import { CliFailure, EXIT } from '../../exit-codes.ts';
import type { CliIo } from '../../io.ts';
import { openSession } from '../../session.ts';

interface Options {
  readonly enable?: true;
  readonly disable?: true;
  readonly disableReason?: string;
}

export function setService(io: CliIo): Command {
  return new Command('set')
    .description('let the scheduler use a service, or not (administrators)')
    .argument('<host>', 'its host, of a volume service host@backend')
    .argument('<binary>', 'its name, such as cinder-volume')
    .addOption(new Option('--enable', 'use it again').conflicts(['disable', 'disableReason']))
    .option('--disable', 'place nothing on it; what is there stays')
    .addOption(new Option('--disable-reason <text>', 'disable it, and say why').implies({ disable: true }))
    .action(async (host: string, binary: string, options: Options, self: Command) => {
      const { enable, disable, disableReason } = options;
      if (!enable && !disable) throw new CliFailure(EXIT.usage, 'Give --enable or --disable. See --help.');
      const client = await openSession(io, self);
      if (enable) await client.put('/os-services/enable', { host, binary });
      else if (disableReason === undefined) await client.put('/os-services/disable', { host, binary });
      else await client.put('/os-services/disable-log-reason', { host, binary, disabled_reason: disableReason });
    });
}
