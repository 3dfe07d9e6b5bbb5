/** The tgtd that a one-command node starts for itself. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSocketTransport, socketPath } from '../../../drivers/target/tgt/control-socket.ts';
import { parsePortals } from '../../../drivers/target/tgt/show.ts';
import { type OwnTgtd, startOwnTgtd } from '../../../src/cmd/local/tgtd.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const missing = missingTgtd();
if (missing !== null) throw new Error(`These tests need a tgtd, and ${missing}.`);

const portalAddress = '127.0.0.1';
const FIRST_PORT = 15_000 + (process.pid % 100) * 40;

async function stateDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-own-tgtd-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function start(t: TestContext, stateDir: string, preferredPort: number) {
  const log = recorderLog();
  const daemon = await startOwnTgtd({ stateDir, portalAddress, preferredPort, log });
  t.after(() => daemon.stop());
  return { daemon, log };
}

async function portalsOf({ socket, controlPort }: OwnTgtd): Promise<string[]> {
  const ask = createSocketTransport(socketPath(socket, controlPort), 'iscsi');
  return parsePortals((await ask({ mode: 'portal', op: 'show' })).text);
}

test('listens where it says and nowhere else, and takes the same port again', async (t) => {
  const stateDir = await stateDirectory(t);
  const { daemon } = await start(t, stateDir, FIRST_PORT);
  assert.deepEqual(await portalsOf(daemon), [`${portalAddress}:${daemon.port}`]);
  await daemon.stop();
  assert.equal((await daemon.exited).signal, 'SIGKILL');
  const { daemon: next } = await start(t, stateDir, FIRST_PORT + 20);
  assert.equal(next.port, daemon.port);
  assert.deepEqual([next.socket, next.controlPort], [daemon.socket, daemon.controlPort]);
});

test('a port that is taken is passed over', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, portalAddress, resolve));
  const { port: taken } = server.address() as { port: number };
  const { daemon } = await start(t, await stateDirectory(t), taken);
  assert.ok(daemon.port > taken);
  assert.deepEqual(await portalsOf(daemon), [`${portalAddress}:${daemon.port}`]);
});

test('one that an earlier run left is ended, and its port taken', async (t) => {
  const stateDir = await stateDirectory(t);
  const { daemon } = await start(t, stateDir, FIRST_PORT);
  await daemon.stop();
  const portal = `portal=${portalAddress}:${daemon.port}`;
  const leftover = spawn('tgtd', ['-f', '-C', String(daemon.controlPort), '--iscsi', portal], {
    env: { PATH: '/usr/sbin', TGT_IPC_SOCKET: daemon.socket },
    stdio: 'ignore',
  });
  const ended = new Promise<string | null>((resolve) => leftover.once('exit', (_, signal) => resolve(signal)));
  t.after(() => leftover.kill('SIGKILL'));
  await waitFor(async () => (await portalsOf(daemon).catch(() => [])).length > 0);
  const { daemon: next, log } = await start(t, stateDir, FIRST_PORT);
  assert.equal(await ended, 'SIGKILL');
  assert.equal(next.port, daemon.port);
  assert.match(log.text(), /left its tgtd running/);
});

test('a state directory with a long path will do', async (t) => {
  const stateDir = join(await stateDirectory(t), 'long '.repeat(24), 'var');
  await mkdir(stateDir, { recursive: true });
  const { daemon } = await start(t, stateDir, FIRST_PORT);
  assert.ok(Buffer.byteLength(socketPath(daemon.socket, daemon.controlPort)) <= 107);
});

test('it does not outlive us, killed though we are', async (t) => {
  const stateDir = await stateDirectory(t);
  const script = join(stateDir, 'owner.ts');
  const module = new URL('../../../src/cmd/local/tgtd.ts', import.meta.url).href;
  await writeFile(
    script,
    `import { startOwnTgtd } from '${module}';
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const options = { stateDir: ${JSON.stringify(stateDir)}, portalAddress: '${portalAddress}', preferredPort: ${FIRST_PORT}, log };
console.log((await startOwnTgtd(options)).pid);
setInterval(() => {}, 60_000);
`,
  );
  const owner = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => owner.kill('SIGKILL'));
  const pid = await new Promise<number>((resolve, reject) => {
    createInterface({ input: owner.stdout }).once('line', (line) => resolve(Number(line)));
    owner.once('exit', () => reject(new Error('the owner ended')));
  });
  assert.match(await readFile(`/proc/${pid}/cmdline`, 'utf8'), /tgtd/);
  owner.kill('SIGKILL');
  await waitFor(
    async () =>
      !existsSync(`/proc/${pid}`) ||
      /State:\s*Z/.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State: Z')),
  );
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail('waited 10 s in vain');
}
