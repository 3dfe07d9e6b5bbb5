/** Which executor a service gets. */
import { accessSync, statSync } from 'node:fs';
import type { Logger } from '../log/logger.ts';
import { createLocalExecutor } from './executor.ts';
import { type ClosableExecutor, createHelperExecutor } from './helper-executor.ts';
import type { HelperLaunch } from './helper-process.ts';

export interface ExecutorOptions {
  readonly log: Logger;
  /** Our own user id. */
  readonly uid: number;
  /** One of the choices of the option privileged_commands. */
  readonly privilege: string;
  readonly helper: { readonly program: string; readonly config: string };
  readonly ask: HelperLaunch['ask'];
}

const AT_ONCE = 16;

/** Commands without privilege run as children of ours; the others as `privilege` says. */
export function createExecutor({ log, uid, privilege, helper, ask }: ExecutorOptions): ClosableExecutor {
  const chosen = privilege !== 'auto' ? privilege : uid === 0 ? 'root' : isThere(helper.program) ? 'daemon' : 'none';
  if (chosen === 'root' || chosen === 'none') {
    return { ...createLocalExecutor({ log, privileged: chosen, atOnce: AT_ONCE }), close: () => {} };
  }
  const local = createLocalExecutor({ log, privileged: 'none', atOnce: AT_ONCE });
  const privileged = createHelperExecutor({
    command: helperCommand(helper, uid),
    ask,
    lifetime: chosen === 'daemon' ? 'service' : 'command',
    atOnce: AT_ONCE,
    log,
  });
  return { ...privileged, run: (command) => (command.privileged === true ? privileged : local).run(command) };
}

/** A helper of our own, in a checkout, is told that its owner is trusted; sudo asks before it runs that. */
function helperCommand({ program, config }: ExecutorOptions['helper'], uid: number): [string, ...string[]] {
  if (uid === 0 || !isThere(program) || statSync(program).uid !== uid) return [program, config];
  return [process.execPath, program, '--owner', String(uid), config];
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
