import { Readable, Writable } from 'node:stream';
import { type CliIo, runCli } from '../../../src/cli/index.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. `env` holds ASHLAR_ENDPOINT and the like; no state directory is looked into. */
export async function run(
  argv: readonly string[],
  settings: {
    env?: Record<string, string>;
    isTty?: boolean;
    columns?: number;
    stdin?: string;
    stateDirs?: string[];
  } = {},
): Promise<Ran> {
  const out = collector();
  const err = collector();
  const io: CliIo = {
    argv,
    env: settings.env ?? {},
    stdin: Readable.from(settings.stdin === undefined ? [] : [Buffer.from(settings.stdin)]),
    stdout: out.stream,
    stderr: err.stream,
    isTty: settings.isTty ?? false,
    columns: settings.columns,
    stateDirs: settings.stateDirs ?? [],
    version: '1.2.3',
  };
  const code = await runCli(io);
  return { code, out: out.text(), err: err.text() };
}

function collector() {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

/** The environment that leads to an API. */
export function envOf(api: { readonly url: string }): Record<string, string> {
  return { ASHLAR_ENDPOINT: api.url, ASHLAR_PROJECT: 'admin', ASHLAR_TOKEN: 'the-token' };
}
