/** The command line: a client of the REST API, and of nothing else. */
import type { CliIo } from './io.ts';
import { buildProgram } from './program.ts';
import { runProgram } from './run-program.ts';

export { CliFailure, EXIT } from './exit-codes.ts';
export type { CliIo } from './io.ts';
export { buildProgram } from './program.ts';
export { runProgram } from './run-program.ts';

/** Runs one command line and returns its exit code. */
export function runCli(io: CliIo): Promise<number> {
  return runProgram(buildProgram(io), io);
}
