/** The way to tgtd's control socket for a service that is not root: its privileged helper makes the request and sends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, type Executor, failure } from '#driver';
import { explain, problemOf } from './control-socket.ts';
import type { TgtRequest, Transport } from './request.ts';

const TIMEOUT_MS = 30_000;
const BUSY_RETRY_MS = 20;

export function createHelperTransport(executor: Executor, path: string, lld: string): Transport {
  return async (request) => {
    const { words, password } = wordsOf(request);
    const deadline = performance.now() + TIMEOUT_MS;
    for (;;) {
      try {
        const { stdout } = await executor.run({
          argv: ['@tgt', path, lld, ...words],
          privileged: true,
          input: password,
          timeoutMs: TIMEOUT_MS,
          outputLimitBytes: 64 * 1024 * 1024,
        });
        const [code = '', ...lines] = stdout.split('\n');
        return { problem: problemOf(Number(code)), text: lines.join('\n') };
      } catch (error) {
        const said = error instanceof CommandError ? /^@tgt: (.*)$/m.exec(error.result?.stderr ?? '')?.[1] : undefined;
        if (said === undefined) throw error;
        // Its queue of connections is full: nothing was sent yet.
        if (said !== 'EAGAIN' || performance.now() > deadline) {
          throw failure('ConnectionFailed', { what: `tgtd at ${path}`, reason: explain(said, said) }, error);
        }
        await sleep(BUSY_RETRY_MS);
      }
    }
  };
}

/** A request in the words of the helper's verb. The password is none of them: it goes in by stdin. */
export function wordsOf({ mode, op, tid, lun, force, parameters = {} }: TgtRequest) {
  const { password = '', ...others } = parameters;
  const words = [
    ...[mode, op],
    ...(tid === undefined ? [] : [`tid=${tid}`]),
    ...(lun === undefined ? [] : [`lun=${lun}`]),
    ...(force === true ? ['force'] : []),
    ...Object.entries(others).map(([key, value]) => `${key}=${value}`),
  ];
  return { words, password };
}
