import { Command } from 'commander';
import { path } from '../client.ts';
import { type CliIo, print } from '../io.ts';
import { openSession } from '../session.ts';
import { asJson, asLines } from './show-report.ts';

interface WhyJson {
  readonly text: string;
  readonly [field: string]: unknown;
}

/** `why`: what a volume, snapshot or attachment is doing or waiting for, and what happened to it. */
export function explainResource(io: CliIo): Command {
  return new Command('why')
    .description('why a volume, snapshot or attachment is as it is: what it does or waits for, and its history')
    .argument('<volume>', 'name or id; also of a snapshot or attachment')
    .option('--json', 'as JSON')
    .action(async (name: string, options: { json?: true }, self: Command) => {
      const client = await openSession(io, self);
      const { text, ...rest } = await client.get<WhyJson>(path`/ashlar/why/${name}`, 'why');
      await print(io, options.json ? asJson(rest) : asLines(text));
    });
}
