/** Privileged commands through the helper. */
import type { Command, Executor } from '../driver/executor.ts';
import { createLimiter } from '../lib/bounded.ts';
import { messageOf } from '../model/errors.ts';
import { conduct } from './executor.ts';
import { type Helper, type HelperLaunch, startHelper } from './helper-process.ts';
import { noteCommand } from './note-command.ts';
import { type Ended, endedWithout } from './outcome.ts';

export interface HelperExecutorOptions extends HelperLaunch {
  /** One daemon for all commands, started with the first and again after it died; or one for each command. */
  readonly lifetime: 'service' | 'command';
  readonly atOnce: number;
}

export interface ClosableExecutor extends Executor {
  /** Ends the helper, and with it what it still runs. */
  close(): void;
}

const DEFAULT_OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

/** Retries nothing: a command that was under way when the helper died fails with outcome `lost`, its effect unknown. */
export function createHelperExecutor(options: HelperExecutorOptions): ClosableExecutor {
  const { log, lifetime } = options;
  const limit = createLimiter(options.atOnce);
  let current: Promise<Helper> | null = null;

  /** The daemon that runs, or a new one. One that could not be started is tried again by the next command. */
  function daemon(): Promise<Helper> {
    if (current !== null) return current;
    const starting = startHelper(options);
    current = starting;
    const forget = () => {
      if (current === starting) current = null;
    };
    starting.then((helper) => helper.gone.then(forget), forget);
    return starting;
  }

  async function run(command: Command): Promise<Ended> {
    const startedAt = performance.now();
    if (command.signal?.aborted === true) {
      return endedWithout(startedAt, 'aborted', 'it was not started, the caller gave up before');
    }
    let helper: Helper;
    try {
      helper = lifetime === 'service' ? await daemon() : await startHelper(options);
    } catch (error) {
      const reason = `the privileged helper (${options.command.join(' ')}) does not start: ${messageOf(error)}`;
      return endedWithout(startedAt, 'refused', `${reason}. See etc/sudoers.d and rootwrap.conf`, error);
    }
    try {
      return await ask(helper, command, startedAt);
    } finally {
      if (lifetime === 'command') helper.close();
    }
  }

  async function ask(helper: Helper, command: Command, startedAt: number): Promise<Ended> {
    const request = {
      argv: withEnvironment(command),
      timeoutMs: command.timeoutMs,
      outputLimitBytes: command.outputLimitBytes ?? DEFAULT_OUTPUT_LIMIT_BYTES,
      ...(command.diesWithUs === true ? { diesWithUs: true } : {}),
    };
    const answer = await helper.ask(request, Buffer.from(command.input ?? ''), command.signal);
    if (answer === null) {
      log.error({ command: command.argv[0] }, 'the privileged helper was lost; the next command starts another');
      return endedWithout(startedAt, 'lost', await helper.gone);
    }
    const { outcome, exitCode, detail } = answer.header;
    const durationMs = performance.now() - startedAt;
    const result = { exitCode: exitCode ?? -1, stdout: answer.stdout, stderr: answer.stderr, durationMs };
    return { result, stop: outcome === 'exit' ? null : outcome, detail };
  }

  return {
    viaHelper: true,
    run: (command) => {
      const noted = noteCommand(command);
      return limit(() => conduct(command, noted, log, () => run(command)));
    },
    close() {
      current?.then(
        (helper) => helper.close(),
        () => {},
      );
      current = null;
    },
  };
}

/** The helper makes the environment; what a command wants in addition stands before it, for the filters to see. */
function withEnvironment({ argv, env = {} }: Command): readonly string[] {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return assignments.length === 0 ? argv : ['env', ...assignments, ...argv];
}
