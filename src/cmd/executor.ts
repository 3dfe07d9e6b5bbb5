import type { Config } from '../config/config.ts';
import { createExecutor } from '../exec/create-executor.ts';
import { execOptions } from '../exec/options.ts';
import type { Logger } from '../log/logger.ts';

/** A person who can be asked for a password is one at our terminal, or at the desktop that we were started on. */
export function openExecutor(config: Config, log: Logger) {
  const { privileged_commands, privileged_helper, privileged_helper_config } = config.section('DEFAULT', execOptions);
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  const hasDesktop = DISPLAY !== undefined || WAYLAND_DISPLAY !== undefined;
  return createExecutor({
    log,
    uid: process.getuid?.() ?? 0,
    privilege: privileged_commands,
    helper: { program: privileged_helper, config: privileged_helper_config },
    ask: process.stdin.isTTY ? 'terminal' : hasDesktop ? 'desktop' : null,
  });
}
