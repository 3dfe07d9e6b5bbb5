import { CliFailure, EXIT } from '../exit-codes.ts';
import { type CliIo, warn } from '../io.ts';

/**
 * Asks for the same for several names, then waits for all that was taken. A name that fails is told on stderr and does
 * not keep the others from being done; an API that is away ends it all. The exit code is the one that all failures
 * share, or 1. `request` returns what is to be waited for, null for nothing.
 */
export async function requestAll<T>(
  io: CliIo,
  names: readonly string[],
  request: (name: string) => Promise<T | null>,
  finish: (taken: T) => Promise<void>,
): Promise<void> {
  const failures: CliFailure[] = [];
  const attempt = async (act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof CliFailure) || error.exitCode === EXIT.unreachable || names.length === 1) throw error;
      warn(io, error.message);
      failures.push(error);
    }
  };
  const taken: T[] = [];
  for (const name of names) {
    await attempt(async () => {
      const item = await request(name);
      if (item !== null) taken.push(item);
    });
  }
  for (const item of taken) await attempt(() => finish(item));
  if (failures.length === 0) return;
  const [code, ...others] = new Set(failures.map(({ exitCode }) => exitCode));
  const exitCode = others.length === 0 ? code! : EXIT.failed;
  throw new CliFailure(exitCode, `${failures.length} of ${names.length} failed.`);
}
