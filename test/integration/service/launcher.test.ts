/** The launcher with real processes: restarts, throttling, drain, and what becomes of children without a parent. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/node-process.ts';
import { isRunning } from '../../support/role-bed.ts';

const PROGRAM = fileURLToPath(new URL('../../support/launcher-program.ts', import.meta.url));

interface Parent {
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output(): string;
  /** Process ids of a worker, in the order of its starts. */
  pidsOf(name: string): number[];
}

describe('the launcher of several processes', { concurrency: true }, () => {
  const parents: Parent[] = [];
  const start = (plans: readonly string[], env: Readonly<Record<string, string>> = {}): Parent => {
    const child = spawn(process.execPath, [PROGRAM, 'parent', ...plans], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    const parent: Parent = {
      child,
      exited: new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal }))),
      output: () => text,
      pidsOf: (name) =>
        [...text.matchAll(new RegExp(`^worker ${name} (\\d+)$`, 'gm'))].map((match) => Number(match[1])),
    };
    parents.push(parent);
    return parent;
  };
  const said = (parent: Parent, pattern: RegExp) =>
    eventually(String(pattern), async () => (pattern.test(parent.output()) ? true : undefined));
  const gone = (pid: number, limitMs: number) =>
    eventually(`the end of ${pid}`, async () => ((await isRunning(pid)) ? undefined : true), limitMs);
  after(async () => {
    for (const { child, exited } of parents) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    }
  });

  it('starts a killed worker again, and leaves the others alone', async () => {
    const parent = start(['a:serves', 'b:serves']);
    await said(parent, /started, failed: \n/);
    const [victim] = parent.pidsOf('a');
    const [other] = parent.pidsOf('b');
    process.kill(victim!, 'SIGKILL');
    await eventually('a second start', async () => (parent.pidsOf('a').length === 2 ? true : undefined));
    assert.deepEqual(parent.pidsOf('b'), [other]);
    assert.equal(await isRunning(other!), true);
  });

  it('holds back one that keeps dying, beside one that runs', async () => {
    const parent = start(['bad:dies-at-once', 'good:serves']);
    await eventually('three starts', async () => (parent.pidsOf('bad').length >= 3 ? true : undefined));
    // One fork a second at most, and after the second death a pause of a second and more besides.
    const pauses = [...parent.output().matchAll(/"worker":"bad".*?"pause_ms":(\d+)/g)].map((match) => Number(match[1]));
    assert.equal(pauses[0], 0);
    assert.ok(pauses[1]! >= 1000, `${pauses}`);
    assert.equal(parent.pidsOf('good').length, 1);
    await said(parent, /started, failed: bad\n/);
  });

  it('does not start again what cannot start', async () => {
    const parent = start(['bad:cannot-start', 'good:serves']);
    await said(parent, /started, failed: bad\n/);
    parent.child.kill('SIGUSR2');
    await said(parent, /"state":"broken","reason":"its configuration is wrong","starts":1/);
  });

  it('drains at TERM: work under way is finished', async () => {
    const parent = start(['a:drains-slowly']);
    await said(parent, /started/);
    parent.child.kill('SIGTERM');
    assert.deepEqual(await parent.exited, { code: 0, signal: null });
    assert.match(parent.output(), /work is finished\n(.*\n)*drained/);
  });

  it('ends at once at a second TERM', async () => {
    const parent = start(['a:never-drains']);
    await said(parent, /started/);
    parent.child.kill('SIGTERM');
    // Signals of one kind that come together are one.
    await eventually('the first one to be taken', async () => {
      parent.child.kill('SIGTERM');
      return /halted/.test(parent.output()) ? true : undefined;
    });
    assert.deepEqual(await parent.exited, { code: 143, signal: null });
    await gone(parent.pidsOf('a')[0]!, 5000);
  });

  it('kills what does not drain in time', async () => {
    const parent = start(['a:never-drains']);
    await said(parent, /started/);
    parent.child.kill('SIGTERM');
    assert.deepEqual(await parent.exited, { code: 0, signal: null });
    assert.match(parent.output(), /did not end in time and is killed/);
    assert.equal(await isRunning(parent.pidsOf('a')[0]!), false);
  });

  it('leaves neither worker nor command behind when it is killed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ashlar-launcher-'));
    try {
      const file = join(directory, 'pid');
      const parent = start(['a:runs-a-command', 'b:serves'], { TEST_PID_FILE: file });
      await said(parent, /started/);
      const command = await eventually('the command', async () => {
        const text = await readFile(file, 'utf8').catch(() => '');
        return text.trim() === '' ? undefined : Number(text);
      });
      assert.equal(await isRunning(command), true);
      parent.child.kill('SIGKILL');
      await parent.exited;
      await Promise.all([command, ...parent.pidsOf('a'), ...parent.pidsOf('b')].map((pid) => gone(pid, 5000)));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
