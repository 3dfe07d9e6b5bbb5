import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOwnedProcess } from '../../../src/exec/owned-process.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const directory = await mkdtemp(join(tmpdir(), 'ashlar-owned-'));
after(() => rm(directory, { recursive: true, force: true }));

const common = { name: 'daemon', parentDeathSignal: 'SIGTERM', readyTimeoutMs: 10_000 } as const;
const shell = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

describe('owned process', { timeout: 60_000 }, () => {
  test('it is handed over when it is ready, under its own pid, and stops when told', async () => {
    const flag = join(directory, 'ready');
    const log = recorderLog();
    const owned = await startOwnedProcess({
      ...common,
      argv: shell(`trap 'exit 7' TERM; echo hello; echo $$ > ${flag}; while :; do sleep 0.05; done`),
      ready: async () => (await readFile(flag, 'utf8').catch(() => '')) !== '',
      log,
    });
    assert.equal(Number(await readFile(flag, 'utf8')), owned.pid);
    assert.deepEqual(await owned.stop({ signal: 'SIGTERM', timeoutMs: 10_000 }), { code: 7, signal: null });
    assert.deepEqual(await owned.exited, { code: 7, signal: null });
    assert.deepEqual(await owned.stop({ signal: 'SIGTERM', timeoutMs: 10_000 }), { code: 7, signal: null });
    assert.ok(log.records.some(({ message, fields }) => message === 'hello' && fields.process === 'daemon'));
  });

  test('one that ignores the signal is killed after the limit', async () => {
    const flag = join(directory, 'stubborn');
    const owned = await startOwnedProcess({
      ...common,
      argv: shell(`trap '' TERM; echo > ${flag}; while :; do sleep 0.05; done`),
      ready: async () => (await readFile(flag, 'utf8').catch(() => '')) !== '',
      log: recorderLog(),
    });
    assert.deepEqual(await owned.stop({ signal: 'SIGTERM', timeoutMs: 100 }), { code: null, signal: 'SIGKILL' });
  });

  test('one that ends before it is ready is an error with its last lines', async () => {
    for (const outputFile of [undefined, join(directory, 'output')]) {
      if (outputFile !== undefined) await writeFile(outputFile, 'of the run before\n');
      const started = startOwnedProcess({
        ...common,
        argv: shell('echo out; echo no such port >&2; exit 3'),
        ready: async () => false,
        log: recorderLog(),
        ...(outputFile === undefined ? {} : { outputFile }),
      });
      await assert.rejects(started, (error) => {
        assert.ok(isFailure(error, 'ServiceUnavailable'));
        assert.match(error.message, /daemon ended before it was ready \(exit status 3\)/);
        assert.match(error.message, /out/);
        assert.match(error.message, /no such port/);
        return !/of the run before/.test(error.message);
      });
    }
  });

  test('one that is never ready is ended after the limit', async () => {
    const pidFile = join(directory, 'never');
    const started = startOwnedProcess({
      ...common,
      argv: shell(`echo $$ > ${pidFile}; exec sleep 600`),
      ready: async () => {
        throw new Error('not yet');
      },
      readyTimeoutMs: 300,
      log: recorderLog(),
    });
    await assert.rejects(started, /daemon was not ready after 0.3 s/);
    assert.equal(isAlive(Number(await readFile(pidFile, 'utf8'))), false);
  });

  test('a program that is not there is an error that names it', async () => {
    const started = startOwnedProcess({
      ...common,
      argv: ['/no/such/program'],
      ready: async () => false,
      log: recorderLog(),
    });
    // setpriv, where it is used, says it; else the system does.
    await assert.rejects(
      started,
      (error) => isFailure(error, 'ServiceUnavailable') && /no\/such\/program/.test(error.message),
    );
  });

  test('it ends when the process that started it is killed', async () => {
    const pidFile = join(directory, 'orphan');
    const source = new URL('../../../src/exec/owned-process.ts', import.meta.url).href;
    const script = `
      const { startOwnedProcess } = await import(${JSON.stringify(source)});
      const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
      const owned = await startOwnedProcess({ name: 'd', argv: ['/bin/sleep', '600'], parentDeathSignal: 'SIGTERM',
        ready: async () => true, readyTimeoutMs: 5000, log });
      process.stdout.write(String(owned.pid));
      setInterval(() => {}, 60000);`;
    await writeFile(pidFile, '');
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = await new Promise<number[]>((resolve) => {
      parent.stdout.once('data', (data: Buffer) => resolve([Number(data)]));
    });
    assert.equal(isAlive(pid!), true);
    parent.kill('SIGKILL');
    for (let waited = 0; isAlive(pid!) && waited < 10_000; waited += 20) await sleep(20);
    assert.equal(isAlive(pid!), false);
  });
});

/** A zombie, which only its new parent can bury, is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readStatus(pid));
  } catch {
    return false;
  }
}

function readStatus(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}
