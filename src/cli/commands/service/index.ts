import { Command } from 'commander';
import type { CliIo } from '../../io.ts';
import { listServices } from './list-services.ts';
import { setService } from './set-service.ts';

export function serviceCommands(io: CliIo): Command {
  const noun = new Command('service').description('the services of the control plane');
  for (const verb of [listServices, setService]) noun.addCommand(verb(io));
  return noun;
}
