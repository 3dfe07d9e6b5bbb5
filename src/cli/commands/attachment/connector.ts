import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { CliFailure, EXIT } from '../../exit-codes.ts';
import type { CliIo } from '../../io.ts';

export interface ConnectorOptions {
  readonly initiator?: string;
  readonly host?: string;
  readonly ip?: string;
  readonly multipath?: true;
  readonly connectorJson?: string;
}

/** What the initiator says of itself, in os-brick's keys: from a file (`-` is stdin) where one is named, then the options. */
export async function readConnector(io: CliIo, options: ConnectorOptions): Promise<Record<string, unknown>> {
  const { initiator, host, ip, multipath, connectorJson } = options;
  if (connectorJson === undefined && initiator === undefined) {
    throw new CliFailure(EXIT.usage, 'Who connects? Give --initiator IQN, or --connector-json FILE.');
  }
  const base = connectorJson === undefined ? { host: hostname() } : await readObject(io, connectorJson);
  return {
    ...base,
    ...(initiator === undefined ? {} : { initiator }),
    ...(host === undefined ? {} : { host }),
    ...(ip === undefined ? {} : { ip }),
    ...(multipath === undefined ? {} : { multipath }),
  };
}

async function readObject(io: CliIo, file: string): Promise<object> {
  const name = file === '-' ? 'stdin' : file;
  try {
    const value: unknown = JSON.parse(file === '-' ? await text(io.stdin) : await readFile(file, 'utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new CliFailure(EXIT.usage, `${name} is not JSON: ${cause.message}`);
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliFailure(EXIT.usage, `The connector cannot be read from ${name} (${code}).`, { cause });
  }
  throw new CliFailure(EXIT.usage, `${name} does not hold a JSON object. A connector is {"initiator": "iqn…", …}.`);
}
