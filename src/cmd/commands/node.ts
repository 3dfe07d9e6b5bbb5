import { Command } from 'commander';
import type { CliIo } from '../../cli/index.ts';
import { CliFailure, EXIT } from '../../cli/index.ts';
import { messageOf } from '../../model/errors.ts';
import type { RunningNode } from '../node/node.ts';

/** `ashlar node`: runs until it is told to stop. */
export function nodeCommand(io: CliIo, onReady: () => void): Command {
  return new Command('node')
    .description('Run a whole storage node in this process: database, API, scheduler, volume services')
    .option('--config-file <file...>', 'oslo.config files, later ones win; without any, what the machine suggests')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<{ stateDir?: string; configFile?: string[] }>();
      const { startNode } = await import('../node/node.ts');
      // Whoever read what it says may go, as in `npm start | head`; the node stays.
      io.stdout.on('error', () => {});
      const say = (line: string) => void io.stdout.write(`${line}\n`);
      const running: { node: RunningNode | null } = { node: null };
      const stopSignal = waitForSignal(say, { ofTerminal: (io.stdin as { isTTY?: boolean }).isTTY === true, running });
      const stateDir = options.stateDir ?? io.env.ASHLAR_STATE_DIR ?? 'var';
      const node = await startNode({ stateDir, configFiles: options.configFile ?? [], say }).catch((error: unknown) => {
        throw new CliFailure(EXIT.failed, messageOf(error), { cause: error });
      });
      running.node = node;
      onReady();
      const { openNotifier } = await import('../roles/systemd.ts');
      const notifier = openNotifier(io.env, { warn: (_fields, message) => say(message) });
      await notifier.ready('up');
      await stopSignal;
      void notifier.stopping();
      await node.stop();
      notifier.close();
      say('Stopped.');
      // Work that did not end in time is in the record; what it still waits for must not keep the process.
      setTimeout(() => process.exit(), LINGER_MS).unref();
    });
}

const LINGER_MS = 500;

/** A terminal's Ctrl-C reaches us directly and once more through npm: signals this close together are one. */
const SAME_SIGNAL_MS = 1000;

/**
 * Resolves at the first INT or TERM; a later one ends the process at once, as ALRM does. HUP reads the configuration anew,
 * but where we run in a terminal it says that the terminal is gone, and stops us. USR2 asks for the state report.
 */
function waitForSignal(
  say: (line: string) => void,
  { ofTerminal, running }: { readonly ofTerminal: boolean; readonly running: { readonly node: RunningNode | null } },
): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const stop = () => {
      const nowMs = performance.now();
      if (firstAtMs !== undefined && nowMs - firstAtMs > SAME_SIGNAL_MS) process.exit(130);
      if (firstAtMs === undefined) say('Stopping: work under way is finished first. Again to stop at once.');
      firstAtMs ??= nowMs;
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
    process.on('SIGALRM', () => process.exit(1));
    process.on('SIGHUP', () => {
      if (ofTerminal) return stop();
      if (firstAtMs === undefined) void running.node?.reload();
    });
    process.on('SIGUSR2', () => void running.node?.report());
  });
}
