/** What HUP and USR2 mean to a node in one process. */
import { changedOptions } from '../../config/changes.ts';
import type { Config } from '../../config/config.ts';
import type { RootLogger } from '../../log/create-logger.ts';
import { messageOf } from '../../model/errors.ts';
import { collectStateReport } from '../../service/report.ts';
import { renderStateReport } from '../../service/report-text.ts';
import { applyMutable } from '../roles/role-log.ts';

/**
 * Reads the configuration anew. One with faults is refused, and all stays as it is; else the mutable options change in
 * place, and those that take a restart are named.
 */
export async function reloadNode(parts: {
  /** In force now. */
  readonly config: Config;
  /** Reads it again; `finish` has yet to be called. */
  readonly read: () => Promise<Config>;
  readonly log: RootLogger;
  readonly say: (line: string) => void;
}): Promise<void> {
  const { config, log, say } = parts;
  let next: Config;
  try {
    next = await parts.read();
    next.finish();
  } catch (error) {
    const reason = messageOf(error);
    const what = 'the new configuration is refused, and the old one stays in force; mend it and send HUP again';
    log.error({ reason }, what);
    return say(`HUP: ${what}: ${reason}`);
  }
  const changes = changedOptions(config.values(), next.values());
  applyMutable(log, config, next);
  const names = (isMutable: boolean) =>
    changes.filter(({ mutable }) => mutable === isMutable).map(({ group, option }) => `[${group}] ${option}`);
  const [changed, waiting] = [names(true), names(false)];
  log.info({ changed, waiting }, 'the configuration was read anew');
  say(`HUP: the configuration was read anew; changed: ${changed.join(', ') || 'nothing'}.`);
  if (waiting.length === 0) return;
  log.warn({ waiting }, 'these options take a restart');
  say(`HUP: these take a restart: ${waiting.join(', ')}.`);
}

export async function sayStateReport(say: (line: string) => void): Promise<void> {
  try {
    say(renderStateReport(await collectStateReport()));
  } catch (error) {
    say(`No state report: ${messageOf(error)}`);
  }
}
