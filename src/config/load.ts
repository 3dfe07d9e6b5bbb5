import type { Config } from './config.ts';
import type { OptionGroup } from './groups.ts';
import type { ConfigTexts } from './layers.ts';
import { openConfigSources, readConfigSources } from './sources.ts';

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
export async function loadConfig({ files, ...parts }: LoadConfig): Promise<Config> {
  return openConfigSources(await readConfigSources(files), parts);
}
