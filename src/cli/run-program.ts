import { type Command, CommanderError } from 'commander';
import { CliFailure, EXIT } from './exit-codes.ts';
import { type CliIo, warn, widthOf } from './io.ts';

/**
 * Runs the command that io.argv names and returns the exit code; it ends no process. What it throws is a defect. The
 * caller sets process.exitCode rather than calling process.exit, so that all that was written to a pipe arrives.
 */
export async function runProgram(program: Command, io: CliIo): Promise<number> {
  const pipe = watchBrokenPipe(io);
  adopt(program, io);
  try {
    await program.parseAsync(io.argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (pipe.isBroken()) return EXIT.ok;
    if (error instanceof CliFailure) {
      warn(io, error.message);
      return error.exitCode;
    }
    // --help ends the parsing by a throw too, with 0; a bare `ashlar volume` is help that nobody asked for, with 1.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  } finally {
    pipe.unwatch();
  }
}

/** Makes every command, those of the composition root too, throw instead of exit, and write where io says. */
function adopt(command: Command, io: CliIo): void {
  const width = widthOf(io);
  command
    .exitOverride()
    .showHelpAfterError('Try --help.')
    .configureHelp({ showGlobalOptions: true, ...(width === undefined ? {} : { helpWidth: width }) })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const child of command.commands) adopt(child, io);
}

/** The reader of stdout or stderr may go away at any time, as in `ashlar volume list | head -1`: that is quiet. */
function watchBrokenPipe({ stdout, stderr }: CliIo) {
  let broken = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    broken = true;
  };
  for (const stream of [stdout, stderr]) stream.on('error', onError);
  return {
    isBroken: () => broken,
    unwatch() {
      // An error may come after the last write was handed over, so the listeners of a pipe that broke stay.
      if (!broken) for (const stream of [stdout, stderr]) stream.off('error', onError);
    },
  };
}
