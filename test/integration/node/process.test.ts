/** How the process of a node ends when something happens to it that nobody planned. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BUNDLE, eventually, startNodeProcess } from '../../support/node-process.ts';

let stateDir: string;
before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'ashlar-process-'));
  await writeFile(
    join(stateDir, 'ashlar.conf'),
    '[DEFAULT]\nenabled_backends = fake\n[fake]\nvolume_driver = fake\ntarget_helper = fake\n',
  );
});
after(() => rm(stateDir, { recursive: true, force: true }));

for (const [what, surprise] of [
  ['a rejection that nobody awaits', "Promise.reject(new Error('surprise'))"],
  ['an exception that nobody catches', "{throw new Error('surprise')}"],
] as const) {
  test(`${what} ends it at once, with the reason in its log and on its terminal`, async () => {
    const script = `process.once('SIGUSR2',()=>${surprise})`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
    const node = await startNodeProcess({ stateDir, env });
    process.kill(node.pid, 'SIGUSR2');
    assert.deepEqual(await node.exited, { code: 1, signal: null });
    assert.match(node.output(), /Ashlar ends.*surprise/);
    const lines = (await readFile(join(stateDir, 'log/ashlar.log'), 'utf8')).trim().split('\n');
    const last = lines.map((line) => JSON.parse(line)).findLast(({ level }) => level === 'error');
    assert.match(last.err.message, /surprise/);
    assert.match(last.err.stack, /surprise/);
    // And the next start finds everything in order.
    await (await startNodeProcess({ stateDir })).stop();
  });
}

test('whoever reads what it says may go: it stays, and stops in good order', async () => {
  const child = spawn(process.execPath, [BUNDLE, 'node', '--state-dir', stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await eventually('the banner', async () => /Ctrl-C stops it/.exec(text) ?? undefined);
  child.stdout.destroy();
  child.kill('SIGTERM');
  assert.equal(await exited, 0);
});

test('HUP changes what may change in place, names what may not, and refuses faults; USR2 reports; ALRM ends it', async () => {
  const node = await startNodeProcess({ stateDir });
  const file = join(stateDir, 'ashlar.conf');
  const before = await readFile(file, 'utf8');
  const configure = (text: string) => writeFile(file, before.replace('[fake]', `${text}\n[fake]`));
  const said = (pattern: RegExp) => eventually(String(pattern), async () => pattern.exec(node.output()) ?? undefined);
  const statusOfCreate = async () => (await node.request('POST', '/volumes', { volume: { size: 1 } })).status;
  try {
    assert.equal(await statusOfCreate(), 202);
    await configure('quota_volumes = 0\nosapi_max_request_body_size = 50000');
    process.kill(node.pid, 'SIGHUP');
    await said(
      /changed: \[DEFAULT\] quota_volumes\.\s+HUP: these take a restart: \[DEFAULT\] osapi_max_request_body_size\./,
    );
    assert.equal(await statusOfCreate(), 413);
    await configure('quota_volumes = many');
    process.kill(node.pid, 'SIGHUP');
    await said(/is refused[\s\S]*quota_volumes: 'many' is not a whole number/);
    assert.equal(await statusOfCreate(), 413);
    process.kill(node.pid, 'SIGUSR2');
    await said(/role: node/);
  } finally {
    await writeFile(file, before);
    process.kill(node.pid, 'SIGALRM');
  }
  assert.deepEqual(await node.exited, { code: 1, signal: null });
});
