import { readFile } from 'node:fs/promises';
import { type Config, openConfig } from './config.ts';
import type { ConfigFault } from './faults.ts';
import type { OptionGroup } from './groups.ts';
import { type ConfigTexts, entriesOf, layerOf } from './layers.ts';
import { type ParsedFile, parseConfigText } from './parse.ts';

export interface LoadConfig {
  /** Paths in order: a later file wins over an earlier one. One that cannot be read is a fault, reported by finish(). */
  readonly files: readonly string[];
  /** Texts that win over the files, such as those of the command line. */
  readonly overrides?: ConfigTexts;
  /** Texts that hold where no file and no override says anything: defaults found out at start. */
  readonly defaults?: ConfigTexts;
  /** The roll-call of all options (src/cmd/options.ts). */
  readonly known?: readonly OptionGroup[];
}

/** Reads the files. Nothing is refused yet: see Config.finish. */
export async function loadConfig({ files, overrides, defaults, known }: LoadConfig): Promise<Config> {
  const read = await Promise.all(files.map(readConfigFile));
  const layers = [
    entriesOf(overrides ?? {}, 'override'),
    read.flatMap((file) => file.entries),
    entriesOf(defaults ?? {}, 'start-up default'),
  ];
  return openConfig({
    layers: layers.map(layerOf),
    faults: read.flatMap((file) => file.faults).map((fault) => ({ ...fault, group: null, option: null })),
    known: known ?? [],
  });
}

interface ReadFile extends Pick<ParsedFile, 'entries'> {
  readonly faults: readonly Pick<ConfigFault, 'file' | 'line' | 'message'>[];
}

async function readConfigFile(file: string): Promise<ReadFile> {
  const refused = (message: string): ReadFile => ({ entries: [], faults: [{ file, line: null, message }] });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
    return parseConfigText(text, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return refused('there is no such file; make it, or name another');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return refused('is not UTF-8 text; save it as UTF-8');
    return refused(`cannot be read: ${code ?? String(error)}`);
  }
}
