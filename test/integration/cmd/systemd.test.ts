/** The units by systemd's own judgement, and what a service says to it over a real socket. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openNotifier } from '../../../src/cmd/roles/systemd.ts';
import { eventually } from '../../support/node-process.ts';

const UNITS = fileURLToPath(new URL('../../../etc/systemd/', import.meta.url));
const run = promisify(execFile);
const missing = (program: string) => (existsSync(`/usr/bin/${program}`) ? false : `there is no ${program}`);

/** Answers with each datagram it gets, a line of JSON each. */
const RECEIVER = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('ready', flush=True)
while True:
    data, fds, _flags, _from = socket.recv_fds(s, 4096, 1)
    for fd in fds: os.close(fd)
    print(json.dumps(data.decode()), flush=True)
`;

describe('systemd', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ashlar-systemd-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('finds nothing wrong with the units', { skip: missing('systemd-analyze') }, async () => {
    const program = join(directory, 'ashlar');
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
    const names = (await readdir(UNITS)).filter((name) => name.endsWith('.service'));
    assert.equal(names.length, 4);
    for (const name of names) {
      const text = await readFile(join(UNITS, name), 'utf8');
      await writeFile(join(directory, name), text.replaceAll('/usr/bin/ashlar', program));
    }
    const { stdout, stderr } = await run('systemd-analyze', ['verify', ...names.map((name) => join(directory, name))]);
    assert.equal(stdout + stderr, '');
  });

  for (const name of ['ashlar-api.service', 'ashlar-scheduler.service']) {
    it(`rates the exposure of ${name} below 3`, { skip: missing('systemd-analyze') }, async () => {
      const { stdout } = await run('systemd-analyze', ['security', '--offline=true', join(UNITS, name)]);
      const [, rating] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
      assert.ok(Number(rating) < 3, `${rating}`);
    });
  }

  it('hears that a service is ready, and its watchdog', { skip: missing('systemd-notify') }, async () => {
    const socket = join(directory, 'notify');
    const receiver = spawn('/usr/bin/python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    receiver.stdout.on('data', (chunk: Buffer) => {
      heard += chunk;
    });
    const warnings: string[] = [];
    const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
    const notifier = openNotifier({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' }, log);
    try {
      await eventually('the receiver', async () => (heard.includes('ready') ? true : undefined));
      await notifier.ready('up: a');
      assert.match(heard, /READY=1\\nSTATUS=up: a\\nMAINPID=\d+/);
      await eventually('the watchdog', async () => ((heard.match(/WATCHDOG=1/g)?.length ?? 0) >= 2 ? true : undefined));
      await notifier.stopping();
      assert.match(heard, /STOPPING=1/);
      assert.deepEqual(warnings, []);
    } finally {
      notifier.close();
      receiver.kill('SIGKILL');
    }
  });

  it('is left alone where it did not ask', async () => {
    const notifier = openNotifier({}, { warn: () => assert.fail('nothing to say') });
    await notifier.ready('up');
    notifier.close();
  });
});
