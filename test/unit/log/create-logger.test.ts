import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createLogger } from '../../../src/log/create-logger.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let fileNumber = 0;
function openLog(level: 'debug' | 'info' | 'warn' | 'error' = 'info') {
  fileNumber += 1;
  const path = join(folder, `${fileNumber}.log`);
  const log = createLogger({ level, name: 'tester', destination: path });
  const read = (file = path): Record<string, unknown>[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { path, log, read };
}

describe('createLogger', () => {
  it('writes a JSON line before the call returns, to a file for its owner alone', () => {
    const { path, log, read } = openLog();
    log.info({ volumeId: 'v1', name: 'data' }, 'volume created');
    const [line] = read();
    const { time, ...rest } = line!;
    assert.deepEqual(rest, {
      level: 'info',
      program: 'tester',
      pid: process.pid,
      volumeId: 'v1',
      name: 'data',
      msg: 'volume created',
    });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    log.close();
  });

  it('binds the fields of a child, and of its child', () => {
    const { log, read } = openLog();
    log.child({ requestId: 'req-1' }).child({ operation: 'create' }).warn({ attempt: 2 }, 'again');
    const [line] = read();
    assert.deepEqual([line!.requestId, line!.operation, line!.attempt], ['req-1', 'create', 2]);
    log.close();
  });

  it('holds its level, also for children made before a change', () => {
    const { log, read } = openLog('warn');
    const child = log.child({ a: 1 });
    child.info({}, 'no');
    child.error({}, 'yes 1');
    log.setLevel('debug');
    assert.equal(log.level, 'debug');
    child.debug({}, 'yes 2');
    log.setLevel('error');
    log.warn({}, 'no');
    assert.deepEqual(
      read().map((line) => line.msg),
      ['yes 1', 'yes 2'],
    );
    log.close();
  });

  it('lets no secret through: in fields, bindings, errors, messages', () => {
    const { path, log } = openLog();
    const secret = 'S3cretS3cret';
    log
      .child({ token: secret, chap: { username: 'u', password: secret } })
      .error({ err: new Error(`CHAP u ${secret}`), data: { auth_password: secret } }, `iscsi://u%${secret}@h/iqn/1`);
    const text = readFileSync(path, 'utf8');
    assert.ok(!text.includes(secret), text);
    assert.ok(text.includes('[redacted]'));
    log.close();
  });

  it('writes to the new file after a rotation', () => {
    const { path, log, read } = openLog();
    log.info({}, 'one');
    renameSync(path, `${path}.1`);
    log.info({}, 'two');
    log.reopen();
    log.info({}, 'three');
    assert.deepEqual(
      [read(`${path}.1`), read()].map((lines) => lines.map((line) => line.msg)),
      [['one', 'two'], ['three']],
    );
    log.close();
  });

  it('says at once that a file cannot be opened', () => {
    const destination = join(folder, 'missing', 'a.log');
    assert.throws(
      () => createLogger({ level: 'info', name: 'x', destination }),
      /cannot be opened \(ENOENT\); make its/,
    );
  });

  it('outlives a full disk, and counts', () => {
    const log = createLogger({ level: 'info', name: 'x', destination: '/dev/full' });
    for (let line = 0; line < 100; line++) log.info({ line }, 'lost');
    assert.ok(log.failedWrites() > 0);
  });

  it('has written the last line when the process is killed, and outlives a reader that is gone', () => {
    const module = join(import.meta.dirname, '../../../src/log/create-logger.ts');
    const run = (rest: string, pipe = '') =>
      spawnSync(
        'sh',
        [
          '-c',
          `"$0" --input-type=module -e 'import { createLogger } from "'"$1"'";
          const log = createLogger({ level: "info", name: "x" });
          ${rest}' ${pipe}`,
          process.execPath,
          module,
        ],
        { encoding: 'utf8', timeout: 20_000 },
      );
    const killed = run('log.info({}, "last words"); process.kill(process.pid, "SIGKILL");');
    assert.match(killed.stdout, /last words/);
    const orphan = run(
      'for (let i = 0; i < 5000; i++) log.info({ i }, "x".repeat(100)); process.stderr.write("alive\\n");',
      '| true',
    );
    assert.equal(orphan.stderr, 'alive\n');
  });
});
