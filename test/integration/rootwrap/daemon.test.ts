import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type AnswerHeader, createFrameReader, encodeFrame } from '../../../rootwrap/frames.ts';
import { CommandError } from '../../../src/driver/executor.ts';
import { type ClosableExecutor, createHelperExecutor } from '../../../src/exec/helper-executor.ts';
import { type InstalledHelper, installHelper, whyNoHelper } from '../../support/installed-helper.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const FILTERS =
  '[Filters]\nsh: CommandFilter, sh, root\nwrite: ArgvFilter, @write, root, @write {path}\n[Shapes]\npath: /run/ashlar-rootwrap-[A-Za-z0-9]+/values/[a-z]+\n';

describe('the helper’s daemon', { skip: whyNoHelper() ?? false }, () => {
  let helper: InstalledHelper;
  let executor: ClosableExecutor;
  const log = recorderLog();
  before(async () => {
    helper = await installHelper({}, { 'test.filters': FILTERS });
    await mkdir(join(helper.directory, 'values'));
    executor = createHelperExecutor({
      command: [helper.program, helper.config],
      ask: null,
      lifetime: 'service',
      atOnce: 100,
      log,
    });
  });
  after(async () => {
    executor.close();
    await helper.close();
  });

  const sh = (script: string, more: object = {}) =>
    executor.run({ argv: ['sh', '-c', script], privileged: true, timeoutMs: 20_000, ...more });
  const outcome = (expected: CommandError['outcome']) => (error: unknown) =>
    error instanceof CommandError && error.outcome === expected;

  it('answers as a command run here does', async () => {
    const result = await sh('cat; echo problem >&2; exit 3', { input: 'hällo\n', okExitCodes: [3] });
    assert.deepEqual([result.exitCode, result.stdout, result.stderr], [3, 'hällo\n', 'problem\n']);
    await assert.rejects(sh('kill -TERM $$'), outcome('signal'));
    await assert.rejects(sh('yes', { outputLimitBytes: 100_000 }), outcome('output limit'));
    await assert.rejects(executor.run({ argv: ['ls'], privileged: true, timeoutMs: 1_000 }), outcome('refused'));
    assert.match(log.text(), /no filter allows it/);
  });

  it('kills at the deadline and at an abort whatever the command has started, sessions of their own too', async () => {
    const file = join(helper.directory, 'alive');
    // One in the group, one that left it: each would write later on.
    const script = `(sleep 3; touch ${file}) & setsid sh -c 'sleep 3; touch ${file}' & wait`;
    await assert.rejects(sh(script, { timeoutMs: 500 }), outcome('timeout'));
    const abort = new AbortController();
    const aborted = assert.rejects(sh(script, { signal: abort.signal }), outcome('aborted'));
    await sleep(500);
    abort.abort();
    await aborted;
    await sleep(3_200);
    assert.ok(!existsSync(file));
  });

  it('does many at once, and a flood only refuses', async () => {
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => sh('sleep 0.3')));
    const refused = results.filter((result) => result.status === 'rejected');
    assert.ok(refused.length <= 36, `${refused.length} of 100 refused`);
    assert.ok(refused.every(({ reason }) => /64 commands run already/.test(String(reason))));
    await sh('true');
  });

  it('writes values, as a verb', async () => {
    const argv = (name: string): [string, string] => ['@write', join(helper.directory, 'values', name)];
    await executor.run({ argv: argv('one'), input: '1', privileged: true, timeoutMs: 5_000 });
    const two = executor.run({ argv: argv('one'), input: '1\n2', privileged: true, timeoutMs: 5_000 });
    await assert.rejects(two, /a value is one line/);
    const elsewhere = executor.run({ argv: ['@write', '/etc/x'], input: '1', privileged: true, timeoutMs: 5_000 });
    await assert.rejects(elsewhere, outcome('refused'));
  });

  it('says lost, effect unknown, when it is killed, and the next command works', async () => {
    const lost = assert.rejects(
      sh('kill -9 $PPID; sleep 600'),
      (error: Error) => outcome('lost')(error) && /effect is unknown/.test(error.message),
    );
    await lost;
    assert.equal((await sh('echo again')).stdout, 'again\n');
  });

  it('takes any bytes: a giant frame, a broken one, noise; the next request is answered', {
    timeout: 60_000,
  }, async () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((body) => encodeFrame(9, { argv: 1 }, Buffer.from(body))),
      fc.json().map((json) => encodeFrame(9, { argv: [json], timeoutMs: 100, x: json })),
      fc.constant(encodeFrame(9, {}, Buffer.alloc(2_000_000))),
      fc.uint8Array({ minLength: 8, maxLength: 60 }).map((noise) => {
        const bytes = Buffer.from(noise);
        bytes.writeUInt32BE(bytes.length - 4, 0);
        return bytes;
      }),
    );
    const raw = openRaw(helper);
    try {
      for (const each of fc.sample(frame, { seed: 5, numRuns: 400 })) raw.child.stdin!.write(each);
      raw.child.stdin!.write(encodeFrame(77, { argv: ['sh', '-c', 'echo fine'], timeoutMs: 5_000 }));
      const { header, body } = await raw.answer(77);
      assert.deepEqual([header.exitCode, body.toString()], [0, 'fine\n']);
    } finally {
      raw.child.stdin!.destroy();
      await raw.exited;
    }
  });

  it('ends when its caller does, in the middle of a frame too', async () => {
    const file = join(helper.directory, 'late');
    await rm(file, { force: true });
    const raw = openRaw(helper);
    await raw.ready;
    raw.child.stdin!.write(
      encodeFrame(1, { argv: ['sh', '-c', `trap '' TERM; sleep 4; touch ${file}`], timeoutMs: 20_000 }),
    );
    await sleep(500);
    raw.child.stdin!.end(encodeFrame(2, { argv: ['sh'] }).subarray(0, 9));
    await raw.exited;
    await sleep(2_500);
    assert.ok(!existsSync(file));
  });
});

function openRaw(helper: InstalledHelper) {
  const child: ChildProcess = spawn(helper.program, [helper.config, '--daemon'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const answers = new Map<number, (frame: { header: AnswerHeader; body: Buffer }) => void>();
  const answer = (id: number) =>
    new Promise<{ header: AnswerHeader; body: Buffer }>((resolve) => answers.set(id, resolve));
  const ready = answer(0);
  const read = createFrameReader(2 ** 27, ({ id, header, body }) =>
    answers.get(id)?.({ header: header as AnswerHeader, body }),
  );
  child.stdout!.on('data', read);
  child.stdin!.on('error', () => {});
  return { child, answer, ready, exited: new Promise((resolve) => child.once('close', resolve)) };
}
