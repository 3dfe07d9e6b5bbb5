import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, CommandError } from '../../../src/driver/executor.ts';
import { createLocalExecutor, pathOf } from '../../../src/exec/executor.ts';
import { armFailpoints } from '../../../src/lib/failpoint.ts';
import { createRecorder } from '../../support/recorder.ts';

const { log, entries } = createRecorder();
const executor = createLocalExecutor({ log, privileged: 'root' });
const sh = (script: string, more: Partial<Command> = {}) =>
  executor.run({ argv: ['sh', '-c', script], timeoutMs: 20_000, ...more });

test('gives exit code, both streams and the input that it was told', async () => {
  const result = await sh('cat; echo problem >&2', { input: 'hello\nä' });
  assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, 'hello\nä', 'problem\n']);
});

test('there is no shell: arguments reach the program as they are', async () => {
  const odd = ['a b', '$(reboot)', '"', "'", '\n', ';', ''];
  const result = await executor.run({ argv: ['printf', '%s|', ...odd], timeoutMs: 20_000 });
  assert.equal(result.stdout, odd.map((text) => `${text}|`).join(''));
});

test('the environment is the command’s alone, with LC_ALL=C and a PATH', async () => {
  const result = await executor.run({ argv: ['env'], env: { ONE: '1' }, timeoutMs: 20_000 });
  const names = result.stdout
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0])
    .sort();
  assert.deepEqual(names, ['LC_ALL', 'ONE', 'PATH']);
  assert.match(result.stdout, /^LC_ALL=C$/m);
});

test('an exit code that is not ok throws with the tool’s words; one that is ok is an answer', async () => {
  const answer = await sh('exit 5', { okExitCodes: [0, 5] });
  assert.equal(answer.exitCode, 5);
  await assert.rejects(sh('echo no space left >&2; exit 5'), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.outcome, 'exit');
    assert.equal(error.result?.exitCode, 5);
    assert.match(error.message, /exit code 5: no space left/);
    return true;
  });
});

test('a missing program is told by name', async () => {
  await assert.rejects(executor.run({ argv: ['no-such-program'], timeoutMs: 1_000 }), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.outcome, 'missing');
    assert.equal(error.result, null);
    assert.match(error.message, /no program 'no-such-program'.*install/);
    return true;
  });
  assert.equal(pathOf('no-such-program'), null);
  assert.match(pathOf('sh') ?? '', /^\/.*\/sh$/);
});

test('a signal from outside is told', async () => {
  await assert.rejects(sh('kill -TERM $$'), outcome('signal', /SIGTERM/));
});

test('the deadline kills the grandchildren too', () =>
  withPidFile(async (file) => {
    const command = sh(`sleep 600 & echo $! > ${file}; wait`, { timeoutMs: 1_000 });
    await assert.rejects(command, outcome('timeout', /deadline of 1 s/));
    await assertGone(await pidIn(file));
  }));

test('a grandchild that holds the output open does not outlast the deadline', () =>
  withPidFile(async (file) => {
    await assert.rejects(sh(`sleep 600 & echo $! > ${file}`, { timeoutMs: 1_000 }), outcome('timeout', /./));
    await assertGone(await pidIn(file));
  }));

test('too much output kills the group', () =>
  withPidFile(async (file) => {
    const command = sh(`sleep 600 & echo $! > ${file}; yes`, { outputLimitBytes: 100_000 });
    await assert.rejects(command, outcome('output limit', /too much output/));
    await assertGone(await pidIn(file));
  }));

test('output up to the limit is whole', async () => {
  const result = await sh('head -c 100000 /dev/zero | tr "\\0" x', { outputLimitBytes: 100_000 });
  assert.equal(result.stdout.length, 100_000);
});

test('an abort kills the group; an abort before the start starts nothing', () =>
  withPidFile(async (file) => {
    const abort = new AbortController();
    const running = sh(`sleep 600 & echo $! > ${file}; wait`, { signal: abort.signal });
    const refused = assert.rejects(running, outcome('aborted', /abort/));
    const pid = await pidIn(file);
    abort.abort();
    await refused;
    await assertGone(pid);
    await rm(file);
    await assert.rejects(sh(`echo 1 > ${file}`, { signal: abort.signal }), outcome('aborted', /not started/));
    await assert.rejects(readFile(file), { code: 'ENOENT' });
  }));

test('at most so many at once, the others wait their turn', async () => {
  const narrow = createLocalExecutor({ log, privileged: 'root', atOnce: 2 });
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-exec-'));
  try {
    // Each counts who is there with it; the count is taken inside, so it needs no clock of ours.
    const script = 'mkdir $1/$$; ls $1 | wc -l; sleep 0.1; rmdir $1/$$';
    const runs = Array.from({ length: 8 }, () =>
      narrow.run({ argv: ['sh', '-c', script, 'sh', directory], timeoutMs: 20_000 }),
    );
    const counts = (await Promise.all(runs)).map((result) => Number(result.stdout));
    assert.ok(Math.max(...counts) <= 2, `saw ${counts}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('without a way to root a privileged command is refused with what to do', async () => {
  const powerless = createLocalExecutor({ log, privileged: 'none' });
  await assert.rejects(
    powerless.run({ argv: ['true'], privileged: true, timeoutMs: 1_000 }),
    outcome('refused', /needs root; run the service as root, or let its user/),
  );
  assert.equal((await powerless.run({ argv: ['true'], timeoutMs: 20_000 })).exitCode, 0);
});

test('a command that dies with us runs under setpriv and gives the same answer', async () => {
  const result = await sh('echo $PPID; exit 3', { diesWithUs: true, okExitCodes: [3] });
  assert.deepEqual([result.exitCode, Number(result.stdout)], [3, process.pid]);
});

test('fail points stand before and after every command', async () => {
  const seen: string[] = [];
  const arm = (actions: [string, { hit: number; action: 'throw' }][]) =>
    armFailpoints({ actions: new Map(actions), trace: (name) => seen.push(name) });
  await withPidFile(async (file) => {
    try {
      arm([]);
      await assert.rejects(sh('exit 1'));
      assert.deepEqual(seen, ['exec.sh.before', 'exec.sh.after']);
      arm([['exec.sh.before', { hit: 1, action: 'throw' }]]);
      await assert.rejects(sh(`echo 1 > ${file}`), /fail point exec.sh.before/);
      await assert.rejects(readFile(file), { code: 'ENOENT' });
      arm([['exec.sh.after', { hit: 1, action: 'throw' }]]);
      await assert.rejects(sh(`echo 1 > ${file}`), /fail point exec.sh.after/);
      assert.equal(await readFile(file, 'utf8'), '1\n');
    } finally {
      armFailpoints(undefined);
    }
  });
});

test('each command is logged at debug with duration and exit code, never its input', async () => {
  await sh('exit 0', { input: 'the-secret-input' });
  const last = entries.at(-1)!;
  assert.equal(last.level, 'debug');
  assert.deepEqual(Object.keys(last.fields).sort(), ['command', 'durationMs', 'exitCode', 'privileged']);
  assert.ok(!JSON.stringify(entries).includes('the-secret-input'));
});

function outcome(expected: CommandError['outcome'], message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.outcome, expected);
    assert.equal(error.result, null);
    assert.match(error.message, message);
    return true;
  };
}

async function withPidFile(body: (file: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-exec-'));
  try {
    await body(join(directory, 'pid'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Waits, within a limit, until the script has written its grandchild's pid. */
async function pidIn(file: string): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text);
    await sleep(20);
  }
  throw new Error('the script wrote no pid');
}

/** A killed orphan is reaped by init, in its own time. */
async function assertGone(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    if (state === null || /^\d+ \(.*\) [ZX]/.test(state)) return;
    await sleep(20);
  }
  assert.fail(`process ${pid} still runs`);
}
