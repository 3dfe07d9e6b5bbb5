import { Command } from 'commander';
import { CliFailure } from '../exit-codes.ts';
import type { CliIo } from '../io.ts';
import { checkFields, type OutputOptions, printRecord, withOutput } from '../output.ts';
import { openSession } from '../session.ts';

interface VersionsJson {
  readonly versions?: readonly { readonly version?: string; readonly min_version?: string }[];
}

/** `version`: of this program, and of the API where one answers. An API that is away is no failure here. */
export function showVersion(io: CliIo): Command {
  const command = new Command('version').description('versions of this program and of the API');
  return withOutput(command).action(async (options: OutputOptions, self: Command) => {
    checkFields(options, ['ashlar', 'api', 'api_minimum']);
    const api = await apiVersions(io, self);
    await printRecord(io, options, {
      ashlar: io.version ?? 'unknown',
      api: api?.version ?? null,
      api_minimum: api?.min_version ?? null,
    });
  });
}

async function apiVersions(io: CliIo, command: Command) {
  try {
    const client = await openSession(io, command, 5_000);
    return (await client.versions<VersionsJson>()).versions?.at(-1);
  } catch (error) {
    if (error instanceof CliFailure) return undefined;
    throw error;
  }
}
