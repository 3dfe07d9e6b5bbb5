import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApi, volume, volumesHandler } from './api-double.ts';
import { envOf } from './run.ts';

const TIMEOUT_MS = 60_000;
const program = join(import.meta.dirname, '../../../src/cmd/ashlar.ts');

function start(argv: readonly string[], env: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program, ...argv], { env: { PATH: process.env.PATH, ...env }, timeout: TIMEOUT_MS });
}

async function runProcess(argv: readonly string[], env: Record<string, string>) {
  const child = start(argv, env);
  child.stdin.end();
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, out, err };
}

describe('ashlar as a process', { timeout: TIMEOUT_MS }, () => {
  it('prints a long list whole into a pipe, and ends though the API keeps the connection', async () => {
    const volumes = Array.from({ length: 4000 }, (_, at) => volume(at, { name: `name-${at}-${'x'.repeat(100)}` }));
    await using api = await startApi(() => ({ body: { volumes } }));
    const { code, out, err } = await runProcess(['volume', 'list', '-f', 'value', '-c', 'name'], envOf(api));
    assert.deepEqual([code, err], [0, '']);
    assert.equal(out, volumes.map(({ name }) => `${name}\n`).join(''));
  });

  it('is quiet when the reader leaves', async () => {
    const volumes = Array.from({ length: 20_000 }, (_, at) => volume(at));
    await using api = await startApi(() => ({ body: { volumes } }));
    const child = start(['volume', 'list', '-f', 'value'], envOf(api));
    child.stdin.end();
    child.stdout.once('data', () => child.stdout.destroy());
    const [err, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    assert.deepEqual([code, signal, err], [0, null, '']);
  });

  it('hands its exit codes to the shell', async () => {
    await using api = await startApi(volumesHandler([volume(1)], () => {}));
    const codes = async (...argv: string[]) => (await runProcess(argv, envOf(api))).code;
    assert.equal(await codes('volume', 'show', 'volume-1'), 0);
    assert.equal(await codes('volume', 'show', 'nobody'), 4);
    assert.equal(await codes('volume', 'shwo'), 2);
    assert.equal((await runProcess(['volume', 'list'], { ASHLAR_STATE_DIR: '/nowhere' })).code, 3);
  });

  it('can be interrupted while it waits', async () => {
    await using api = await startApi(volumesHandler([], () => {}));
    const child = start(['volume', 'create', '--size', '1', '--name', 'data'], envOf(api));
    child.stdin.end();
    const ended = once(child, 'exit');
    // The second look proves that it waits.
    for (let pauses = 0; api.seen.length < 3 && pauses < 1500; pauses++) await sleep(20);
    assert.ok(api.seen.length >= 3, 'it never looked twice');
    child.kill('SIGINT');
    const [code, signal] = await ended;
    assert.ok(signal === 'SIGINT' || code === 130, `ended with ${code}, ${signal}`);
  });
});
