/** How a command ended, whoever ran it, and the error that this is. Pure. */
import { type Command, CommandError, type CommandResult } from '../driver/executor.ts';
import { maskArguments, maskText } from './mask.ts';

/** `stop` is why it has no exit code of its own. */
export interface Ended {
  readonly result: CommandResult;
  readonly stop: null | Exclude<CommandError['outcome'], 'exit'>;
  readonly detail: string;
  readonly cause?: unknown;
}

const QUOTED_STDERR_CHARACTERS = 600;

/** One that never ran, or whose end nobody saw. */
export function endedWithout(
  startedAt: number,
  stop: NonNullable<Ended['stop']>,
  detail: string,
  cause?: unknown,
): Ended {
  const result = { exitCode: -1, stdout: '', stderr: '', durationMs: performance.now() - startedAt };
  return { result, stop, detail, cause };
}

/** The error that the outcome is, or null where it is an answer. */
export function judge(command: Command, { result, stop, detail, cause }: Ended): CommandError | null {
  const name = maskArguments(command.argv).join(' ');
  const stderr = quoted(result.stderr);
  switch (stop) {
    case null: {
      if ((command.okExitCodes ?? [0]).includes(result.exitCode)) return null;
      return new CommandError(name, 'exit', { result, text: `exit code ${result.exitCode}`, stderr });
    }
    case 'missing':
    case 'refused':
      return new CommandError(name, stop, { result: null, text: 'nothing run', stderr: detail }, cause);
    case 'timeout':
      return new CommandError(name, stop, {
        result: null,
        text: `a kill at its deadline of ${command.timeoutMs / 1000} s, its effect is unknown`,
        stderr,
      });
    case 'output limit':
      return new CommandError(name, stop, { result: null, text: 'a kill for too much output', stderr });
    case 'aborted':
      return new CommandError(name, stop, { result: null, text: 'an abort by the caller', stderr: detail || stderr });
    case 'signal':
      return new CommandError(name, stop, { result: null, text: `signal ${detail}`, stderr });
    case 'lost':
      return new CommandError(
        name,
        stop,
        { result: null, text: 'the loss of the privileged helper, its effect is unknown', stderr: detail },
        cause,
      );
  }
}

/** The end of what the tool said on stderr: that is where it gives the reason. */
function quoted(stderr: string): string {
  const text = maskText(stderr.trim());
  if (text === '') return 'it said nothing';
  return text.length <= QUOTED_STDERR_CHARACTERS ? text : `…${text.slice(-QUOTED_STDERR_CHARACTERS)}`;
}
