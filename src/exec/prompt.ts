/** The desktop's own question for a password, once, to start the privileged helper where there is no terminal. */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { HelperPipes } from './helper-pipes.ts';

const POLL_MS = 100;
const PERSON_MS = 180_000;
const PLAIN_WORD = /^[\w./:@+-]+$/;

/**
 * The prompt hands its program no pipes, only a shell command, so the daemon's stdin and stdout are two fifos in a
 * directory of ours alone. They are gone from the disk as soon as both ends are open.
 */
export async function promptForHelper(words: readonly string[]): Promise<HelperPipes> {
  if (!words.every((word) => PLAIN_WORD.test(word))) {
    throw new Error('the path of the helper has characters that a shell would read: move it');
  }
  // An optional package, of use on a developer's desktop alone.
  const prompt = await import('@vscode/sudo-prompt');
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-helper-'));
  try {
    const [input, output] = [join(directory, 'in'), join(directory, 'out')];
    await promisify(execFile)('mkfifo', ['-m', '600', input, output], { timeout: 10_000 });
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
    const reader = openSync(output, O_RDONLY | O_NONBLOCK);
    let ended: string | null = null;
    const gone = new Promise<string>((resolve) => {
      const command = `${words.join(' ')} <${input} >${output}`;
      prompt.exec(command, { name: 'Ashlar' }, (error) => {
        ended = error?.message ?? 'the helper ended';
        resolve(ended);
      });
    });
    const deadline = performance.now() + PERSON_MS;
    for (;;) {
      // Works as soon as the daemon's shell has opened the other end.
      const writer = openIfRead(input, O_WRONLY | O_NONBLOCK);
      if (writer !== null) {
        const toHelper = new Socket({ fd: writer, readable: false });
        const fromHelper = new Socket({ fd: reader, writable: false });
        const close = () => {
          toHelper.destroy();
          fromHelper.destroy();
        };
        return { input: toHelper, output: fromHelper, gone, close };
      }
      if (ended !== null || performance.now() > deadline) {
        closeSync(reader);
        throw new Error(ended ?? 'nobody answered the question for a password');
      }
      await sleep(POLL_MS);
    }
  } finally {
    await sleep(POLL_MS);
    await rm(directory, { recursive: true, force: true });
  }
}

/** Null while nobody reads from the fifo. */
function openIfRead(path: string, flags: number): number | null {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return null;
    throw error;
  }
}
