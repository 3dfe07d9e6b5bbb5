import { AshlarError } from '../model/errors.ts';

/** One external command. There is no shell: argv goes to the program as it is. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  /** Run as root through the privileged helper. */
  readonly privileged?: boolean;
  /** Standard input. Secrets go here (or into a file), never into argv. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Killed with its whole process group after this. Every command has a deadline. */
  readonly timeoutMs: number;
  /** More output than this kills it. Default 16 MiB. */
  readonly outputLimitBytes?: number;
  /** Exit codes that are an answer; any other throws. Default [0]. */
  readonly okExitCodes?: readonly number[];
  /**
   * Killed by the kernel when this process dies, even by SIGKILL: for long copies and wipes, whose late writes would spoil
   * what the next process has made again. Never for a command that must not stop half-way (lvm). Has no effect through sudo.
   */
  readonly diesWithUs?: boolean;
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/**
 * Runs commands. Retries nothing. Throws CommandError for an exit code that is not ok, a signal, a timeout, an abort, too
 * much output, a program that is missing, a right that is missing (refused), a helper that died meanwhile (lost).
 */
export interface Executor {
  /**
   * Privileged commands run in the helper; this process may have no rights of its own. What takes root but is no command is
   * asked for as one of the helper's verbs then (`@tgt`, `@write`, …: rootwrap/README.md), run like a privileged command.
   */
  readonly viaHelper?: boolean;
  /**
   * Throws Fenced where this service may not act any more, because it stood still and another has its name. `run` asks it
   * before each command; ask it before an effect that is no command: a rename, a request to a daemon. Missing: always free.
   */
  mayAct?(): void;
  run(command: Command): Promise<CommandResult>;
}

/** A command that did not do what was asked. `result` is null where it never ran or was killed: its effect is then unknown. */
export class CommandError extends AshlarError {
  readonly result: CommandResult | null;
  /** `lost`: the privileged helper went away while it ran. */
  readonly outcome: 'exit' | 'signal' | 'timeout' | 'missing' | 'output limit' | 'aborted' | 'refused' | 'lost';

  constructor(
    command: string,
    outcome: CommandError['outcome'],
    detail: { readonly result: CommandResult | null; readonly text: string; readonly stderr: string },
    cause?: unknown,
  ) {
    super('CommandFailed', { command, outcome: detail.text, stderr: detail.stderr }, cause);
    this.result = detail.result;
    this.outcome = outcome;
  }
}
