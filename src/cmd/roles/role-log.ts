/** The log of a parent and its workers: one file that all append to. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config/config.ts';
import { createLogger, type RootLogger } from '../../log/create-logger.ts';
import { processOptions } from '../node/options.ts';

/** Makes the directory of a log file where needed. */
export async function openLog(config: Config): Promise<RootLogger> {
  const { debug, log_file } = config.section('DEFAULT', processOptions);
  if (log_file !== 'stdout' && log_file !== 'stderr') {
    await mkdir(dirname(log_file), { recursive: true, mode: 0o700 }).catch(() => {});
  }
  return createLogger({ level: debug ? 'debug' : 'info', name: 'ashlar', destination: log_file });
}

/** The options that are marked mutable, taken over from what was read anew. */
export function applyMutable(log: RootLogger, config: Config, next: Config): void {
  config.adopt(next);
  const { debug } = config.section('DEFAULT', processOptions);
  log.setLevel(debug ? 'debug' : 'info');
  // A rotation may have moved the file.
  log.reopen();
}
