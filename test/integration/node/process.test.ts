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
