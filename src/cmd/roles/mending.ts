/** Workers that do not work get another chance as soon as their configuration is another. */
import { changedOptions } from '../../config/changes.ts';
import { type ConfigSource, readConfigSources, sameSources } from '../../config/sources.ts';
import type { Logger } from '../../log/logger.ts';
import type { Launcher } from '../../service/launcher.ts';
import { type PeriodicTask, startPeriodicTask } from '../../service/periodic-task.ts';
import { openWorkerConfig, type RoleName } from './configuration.ts';

const LOOK_EVERY_MS = 2000;

/**
 * While one of the workers is down, the files are read every two seconds. When they have changed, and then hold a usable
 * configuration for it that differs from its own, it is started with that. Those that work keep what they have until HUP.
 */
export function startMending(options: {
  readonly role: RoleName;
  readonly files: readonly string[];
  readonly launcher: Launcher;
  /** What the worker of that name was started with. */
  readonly sourcesOf: (name: string) => readonly ConfigSource[];
  readonly renew: (name: string, sources: readonly ConfigSource[]) => Promise<void>;
  readonly log: Logger;
}): PeriodicTask {
  const { role, launcher, log } = options;
  /** The last text that was refused for a worker, to say it once. */
  const refused = new Map<string, readonly ConfigSource[]>();
  return startPeriodicTask({
    name: 'mending',
    intervalMs: LOOK_EVERY_MS,
    log,
    async work() {
      const ailing = launcher.status().filter(({ state }) => ['broken', 'down', 'waiting'].includes(state));
      if (ailing.length === 0) return;
      const sources = await readConfigSources(options.files);
      for (const { name } of ailing) {
        const own = options.sourcesOf(name);
        if (sameSources(own, sources) || sameSources(refused.get(name) ?? [], sources)) continue;
        const before = openWorkerConfig({ role, name, sources: own });
        const after = openWorkerConfig({ role, name, sources });
        refused.set(name, sources);
        if (after.fault !== null)
          log.warn({ worker: name, reason: after.fault }, 'its configuration is not mended yet');
        else if (before.fault !== null || changedOptions(before.config.values(), after.config.values()).length > 0) {
          log.info({ worker: name }, 'its configuration is another; it is started anew');
          await options.renew(name, sources);
        }
      }
    },
  });
}
