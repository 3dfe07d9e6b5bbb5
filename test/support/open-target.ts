import type { Options } from '../../src/config/options.ts';
import type { Executor } from '../../src/driver/executor.ts';
import type { Target, TargetModule } from '../../src/driver/target.ts';
import { createLocalExecutor } from '../../src/exec/executor.ts';
import type { Logger } from '../../src/log/logger.ts';
import { throughRealFilters } from './real-filters.ts';

/** Opens a target with its defaults and the values given, and sets it up. */
export async function openTarget(
  module: TargetModule,
  values: Readonly<Record<string, unknown>>,
  log: Logger,
  executor: Executor = throughRealFilters(createLocalExecutor({ log, privileged: 'root' })),
): Promise<Target> {
  const target = module.open({
    backend: 'under-test',
    options: { ...defaultsOf(module.options), ...values },
    executor,
    log,
  });
  await target.setUp();
  return target;
}

function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, { default: value }]) => [name, value]));
}
