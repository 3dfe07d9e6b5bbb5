import { Command } from 'commander';
import { type CliIo, print } from '../io.ts';
import { escapeControls, escapeControlsInJson } from '../render/text.ts';
import { openSession } from '../session.ts';

interface ReportsJson {
  readonly text: string;
  readonly [field: string]: unknown;
}

/** `report`: what every process of the deployment says of itself at this moment. */
export function showReport(io: CliIo): Command {
  return new Command('report')
    .description('state reports of all processes: operations in flight, connections, locks, errors, configuration')
    .option('--json', 'as JSON')
    .action(async (options: { json?: true }, self: Command) => {
      const client = await openSession(io, self);
      const { text, ...rest } = await client.get<ReportsJson>('/ashlar/report', 'report');
      await print(io, options.json ? asJson(rest) : asLines(text));
    });
}

export function asJson(value: unknown): string {
  return `${escapeControlsInJson(JSON.stringify(value, null, 2))}\n`;
}

/** Names, reasons and commands may hold any character; the lines are ours. */
export function asLines(text: string): string {
  return `${text.trimEnd().split('\n').map(escapeControls).join('\n')}\n`;
}
