/** The text of configuration files, apart from what it means: what was accepted can be given on, and read again. */
import { readFile } from 'node:fs/promises';
import { type Config, openConfig } from './config.ts';
import type { ConfigFault } from './faults.ts';
import type { OptionGroup } from './groups.ts';
import { type ConfigTexts, entriesOf, layerOf } from './layers.ts';
import { parseConfigText } from './parse.ts';

/** One file as it was read, or why it could not be. May hold secrets: for memory and pipes alone. */
export type ConfigSource =
  | { readonly file: string; readonly text: string }
  | { readonly file: string; readonly fault: string };

/** Reads the files, in order. Never rejects. */
export function readConfigSources(files: readonly string[]): Promise<readonly ConfigSource[]> {
  return Promise.all(files.map(readSource));
}

/** What was read, as a configuration; a later file wins over an earlier one. Nothing is refused yet: see Config.finish. */
export function openConfigSources(
  sources: readonly ConfigSource[],
  parts: {
    /** Texts that win over the files, such as those of the command line. */
    readonly overrides?: ConfigTexts;
    /** Texts that hold where no file and no override says anything: defaults found out at start. */
    readonly defaults?: ConfigTexts;
    /** The roll-call of all options (src/cmd/options.ts). */
    readonly known?: readonly OptionGroup[];
  } = {},
): Config {
  const read = sources.map(parseSource);
  const layers = [
    entriesOf(parts.overrides ?? {}, 'override'),
    read.flatMap((file) => file.entries),
    entriesOf(parts.defaults ?? {}, 'start-up default'),
  ];
  return openConfig({
    layers: layers.map(layerOf),
    faults: read.flatMap((file) => file.faults).map((fault) => ({ ...fault, group: null, option: null })),
    known: parts.known ?? [],
  });
}

/** True where both were read from the same files and say the same. */
export function sameSources(a: readonly ConfigSource[], b: readonly ConfigSource[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function parseSource(source: ConfigSource): {
  readonly entries: ReturnType<typeof parseConfigText>['entries'];
  readonly faults: readonly Pick<ConfigFault, 'file' | 'line' | 'message'>[];
} {
  if ('text' in source) return parseConfigText(source.text, source.file);
  return { entries: [], faults: [{ file: source.file, line: null, message: source.fault }] };
}

async function readSource(file: string): Promise<ConfigSource> {
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { file, fault: 'there is no such file; make it, or name another' };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { file, fault: 'is not UTF-8 text; save it as UTF-8' };
    return { file, fault: `cannot be read: ${code ?? String(error)}` };
  }
}
