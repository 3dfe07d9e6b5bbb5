/** The tgtd of a one-command node: ours alone, on loopback, watched, its exports restored when it had to be restarted. */
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../log/logger.ts';
import type { ConfiguredBackend, TargetOverrides } from '../backends.ts';
import { startOwnTgtd } from '../local/tgtd.ts';
import { tgtdObstacle } from './local-backend.ts';
import { processOptions } from './options.ts';
import { supervise } from './supervise.ts';
import type { Teardown } from './teardown.ts';

const PORTAL_ADDRESS = '127.0.0.1';
const PORTAL_PORT = 3260;

/** Starts it where the configuration asks for it; answers what the targets have to know of it. */
export async function startNodeTgtd(options: {
  readonly config: Config;
  readonly backends: readonly ConfiguredBackend[];
  readonly stateDir: string;
  readonly log: Logger;
  say(line: string): void;
  readonly teardown: Teardown;
  readonly restoreExports: () => Promise<void>;
}): Promise<TargetOverrides> {
  const { config, backends, stateDir, log, say, teardown } = options;
  const { own_tgtd } = config.section('DEFAULT', processOptions);
  if (!backends.some(({ usesTgt }) => usesTgt)) {
    if (backends.some(({ usesFakeTarget }) => usesFakeTarget)) {
      const why = tgtdObstacle();
      say(`Target: fake, so no initiator can log in${why === null ? '.' : `: ${why}.`}`);
    }
    return {};
  }
  if (!own_tgtd) {
    say("Target: the system's tgtd.");
    return {};
  }
  const start = () => startOwnTgtd({ stateDir, portalAddress: PORTAL_ADDRESS, preferredPort: PORTAL_PORT, log });
  const first = await start();
  const daemon = supervise({ name: 'tgtd', first, start, onRestart: options.restoreExports, log });
  teardown.defer('tgtd', () => daemon.stop());
  say(`Target: tgtd of its own, portal ${PORTAL_ADDRESS}:${first.port}.`);
  return {
    target_ip_address: PORTAL_ADDRESS,
    target_port: first.port,
    tgt_control_port: first.controlPort,
    tgt_socket: first.socket,
  };
}
