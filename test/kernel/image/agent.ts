/**
 * Runs commands in the guest for the host: a JSON document a line, over a virtio-serial port. Part of the saved state, so
 * it is running when a VM is resumed. Requests run side by side.
 */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

interface AgentRequest {
  readonly id: number;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The whole process group is killed then. */
  readonly timeoutMs: number;
}

const PORT = '/dev/virtio-ports/ashlar.agent';
const LONGEST_OUTPUT = 32 * 1024 * 1024;
/** Without a host at the other end a read answers nothing at once. */
const PAUSE_MS = 20;

const port = await open(PORT, 'r+');
let writing: Promise<unknown> = answer({ ready: true });
const chunk = Buffer.alloc(64 * 1024);
for (let rest = Buffer.alloc(0); ; ) {
  const { bytesRead } = await port.read(chunk, 0, chunk.length, null).catch(() => ({ bytesRead: 0 }));
  if (bytesRead === 0) {
    await sleep(PAUSE_MS);
    continue;
  }
  rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    const request = JSON.parse(rest.subarray(0, end).toString()) as AgentRequest;
    rest = rest.subarray(end + 1);
    void perform(request).then((result) => {
      writing = writing.then(() => answer({ id: request.id, ...result }));
    });
  }
}

async function answer(document: object): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  for (let written = 0; written < bytes.length; ) {
    written += (await port.write(bytes, written, bytes.length - written, null)).bytesWritten;
  }
}

function perform({ argv, env, input, timeoutMs }: AgentRequest): Promise<object> {
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), { cwd: '/root', env: { ...process.env, ...env }, detached: true });
    const output = { stdout: '', stderr: '' };
    let timedOut = false;
    const kill = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < LONGEST_OUTPUT) output[name] += text;
      });
    }
    const settle = (result: object) => {
      clearTimeout(timer);
      resolve({ ...output, timedOut, ...result });
    };
    child.once('error', (error) => settle({ code: 127, signal: null, stderr: error.message }));
    // `exit` and not `close`: a daemon that the command leaves behind may keep the pipes.
    child.once('exit', (code, signal) => setTimeout(() => settle({ code, signal }), PAUSE_MS));
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}
