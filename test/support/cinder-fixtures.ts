/** What was captured from, and read out of, the services that Ashlar works beside: test/fixtures/cinder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../fixtures/cinder');

export interface CapturedMessage {
  readonly file: string;
  /** `cinder-volume`, `cinder-scheduler` or `cinder-backup`. */
  readonly topic: string;
  readonly method: string;
  readonly version: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly isCall: boolean;
  readonly isFanout: boolean;
  readonly results: readonly unknown[];
}

/** Every captured request, calls with the results that they had. */
export function readCapturedMessages(): readonly CapturedMessage[] {
  const files = readdirSync(join(folder, 'captures')).filter((file) => /^(?:rpc|fanout)\..*\.json$/.test(file));
  return files.map((file) => {
    const { kind, example, reply } = JSON.parse(readFileSync(join(folder, 'captures', file), 'utf8'));
    const { method, version, args } = example.message;
    return {
      file,
      topic: String(kind).split('.')[1]!.replace('_fanout', ''),
      method,
      version,
      args,
      isCall: example.message._msg_id !== undefined,
      isFanout: file.startsWith('fanout.'),
      results: (reply ?? []).map((answer: { message: { result: unknown } }) => answer.message.result),
    };
  });
}

/** The rows of one of the tables, by column. */
export function readFactTable(file: string): readonly Readonly<Record<string, string>>[] {
  const [header, ...lines] = readFileSync(join(folder, file), 'utf8').trimEnd().split(/\r?\n/).map(splitLine);
  return lines.map((cells) => Object.fromEntries(header!.map((column, index) => [column, cells[index] ?? ''])));
}

function splitLine(line: string): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
