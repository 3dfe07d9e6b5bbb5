/** Calls the driver's maintenance: what takes long and nobody waits for, such as erasing what was deleted. */
import type { VolumeDriver } from '../driver/driver.ts';
import type { Logger } from '../log/logger.ts';
import { type PeriodicTask, startPeriodicTask } from '../service/periodic-task.ts';

/** Without a trigger: for what failed, or was in use, the last time. */
const INTERVAL_MS = 5 * 60_000;
/** Deletes that follow one another within this time are one piece of work. */
const SETTLE_MS = 1000;

/** Trigger it when the backend is up and when something was deleted; abort the signal before `stop`. */
export function startMaintenance(options: {
  readonly driver: VolumeDriver;
  readonly isUp: () => boolean;
  /** Called when something became free. */
  readonly onFreed: () => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}): PeriodicTask {
  const { driver, signal } = options;
  return startPeriodicTask({
    name: 'maintenance',
    intervalMs: INTERVAL_MS,
    settleMs: SETTLE_MS,
    log: options.log,
    async work() {
      if (driver.maintain === undefined || !options.isUp()) return;
      try {
        if (await driver.maintain(signal)) options.onFreed();
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  });
}
