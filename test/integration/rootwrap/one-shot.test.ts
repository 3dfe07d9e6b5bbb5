import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type InstalledHelper, installHelper, whyNoHelper } from '../../support/installed-helper.ts';

const EXTRA = `
[Shapes]
word: [a-z]+
[Filters]
id: CommandFilter, id, root
nobody: CommandFilter, whoami, nobody
limit: ArgvFilter, sh, nobody, sh -c 'ulimit -n'
echo: ArgvFilter, echo, root, echo {word}
environment: CommandFilter, printenv, root
sleep: RegExpFilter, sleep, root, sleep, \\d+
sh: ArgvFilter, sh, root, sh -c 'exit 7'
nofile: ArgvFilter, sh, root, sh -c 'ulimit -n; ulimit -Hn; grep SigIgn /proc/self/status; ls /proc/self/fd'
gone: CommandFilter, no-such-program, root
evil: CommandFilter, evil, root
`;

/** A syslog in little: prints what it is sent, until its stdin ends. */
const LISTEN = `
import os, select, socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind('/dev/log')
print('ready', flush=True)
while sys.stdin not in (ready := select.select([log, sys.stdin], [], [])[0]):
    print(log.recv(65536).decode(), flush=True)
os.unlink('/dev/log')
`;

describe('the one-shot helper', { skip: whyNoHelper() ?? false }, () => {
  let helper: InstalledHelper;
  before(async () => {
    helper = await installHelper({}, { 'test.filters': EXTRA });
  });
  after(() => helper.close());

  /** As the user, by sudo. */
  function run(argv: readonly string[], options: { env?: Record<string, string>; input?: string } = {}) {
    const [file, ...rest] = helper.asUser('sudo', '-n', '--', helper.program, helper.config, ...argv);
    const result = spawnSync(file, rest, { encoding: 'utf8', timeout: 20_000, ...options });
    return { code: result.status, stdout: result.stdout, stderr: result.stderr };
  }

  it('runs what a filter allows, as root, in its own place', () => {
    assert.deepEqual(run(['id', '-u']), { code: 0, stdout: '0\n', stderr: '' });
    assert.equal(run(['whoami']).stdout, 'nobody\n');
    assert.equal(run(['sh', '-c', 'exit 7']).code, 7);
  });

  it('has oslo.rootwrap’s exit codes', async () => {
    assert.equal(run([]).code, 1, 'sudo itself refuses what has no command');
    assert.equal(run(['']).code, 99);
    assert.match(run(['ls']).stderr, /Unauthorized command.*no filter matched/);
    assert.equal(run(['ls']).code, 99);
    assert.equal(run(['no-such-program']).code, 96);
    const bare = spawnSync(helper.program, [helper.config], { encoding: 'utf8' });
    assert.equal(bare.status, 98);
    const unprivileged = helper.asUser(helper.program, helper.config, 'id');
    assert.equal(spawnSync(unprivileged[0], unprivileged.slice(1)).status, 1);
    const filters = join(helper.directory, 'rootwrap.d/broken.filters');
    await writeFile(filters, '[Filters]\nx: ArgvFilter, ls, root, {nothing}\n');
    assert.equal(run(['id']).code, 97);
    await rm(filters);
  });

  it('lets nobody else choose the configuration, the program or a word before them', () => {
    for (const argv of [
      [helper.program, '/tmp/rootwrap.conf', 'id'],
      [helper.program, '--owner', String(helper.uid), helper.config, 'id'],
      [join(helper.directory, 'node'), helper.program, helper.config, 'id'],
      ['/bin/sh', '-c', 'id'],
    ]) {
      const [file, ...rest] = helper.asUser('sudo', '-n', '--', ...argv);
      assert.equal(spawnSync(file, rest).status, 1, argv.join(' '));
    }
  });

  it('makes the environment, the limit on files, the signals and the descriptors itself', () => {
    const env = {
      PATH: '/usr/bin:/bin',
      LD_PRELOAD: '/tmp/x.so',
      NODE_OPTIONS: '--require=/tmp/x.js',
      LVM_SYSTEM_DIR: '/tmp',
    };
    const given = run(['printenv'], { env }).stdout.trim().split('\n');
    assert.deepEqual(given.map((line) => line.split('=')[0]).toSorted(), ['HOME', 'LC_ALL', 'PATH']);
    assert.ok(!given.some((line) => line.includes('/tmp')));
    const [soft, , ignored, ...open] = run(
      ['sh', '-c', 'ulimit -n; ulimit -Hn; grep SigIgn /proc/self/status; ls /proc/self/fd'],
      { env },
    ).stdout.split('\n');
    assert.equal(soft, '1024');
    assert.match(ignored!, /SigIgn:\s+0+$/);
    assert.deepEqual(open, ['0', '1', '2', '3', ''], 'the last is the listing’s own');
  });

  it('takes no program from a directory that others can write, nor by PATH', async () => {
    const directory = join(helper.directory, 'bin');
    await mkdir(directory);
    await writeFile(join(directory, 'evil'), '#!/bin/sh\nid\n', { mode: 0o755 });
    const before = await readFile(helper.config, 'utf8');
    await writeFile(helper.config, before.replace(/^exec_dirs = /m, `exec_dirs = ${directory},`));
    assert.equal(run(['evil']).code, 0, 'root’s own');
    await chmod(directory, 0o777);
    assert.equal(run(['evil']).code, 96);
    await chmod(directory, 0o755);
    await chown(join(directory, 'evil'), helper.uid, 0);
    assert.equal(run(['evil']).code, 96);
    await writeFile(helper.config, before);
    assert.equal(run(['evil'], { env: { PATH: `${directory}:/usr/bin` } }).code, 96);
  });

  it('limits open files for every user as configured', async () => {
    const before = await readFile(helper.config, 'utf8');
    await writeFile(helper.config, before.replace(/^rlimit_nofile.*/m, 'rlimit_nofile = 77'));
    assert.equal(run(['sh', '-c', 'ulimit -n']).stdout, '77\n');
    await writeFile(helper.config, before);
  });

  const noSyslog = existsSync('/dev/log') ? 'this machine has a syslog of its own' : false;
  it('writes refusals and commands to syslog where it is told so, or says that there is none', {
    skip: noSyslog,
  }, async () => {
    const before = await readFile(helper.config, 'utf8');
    const configure = async (level: string) => {
      const text = before
        .replace(/^use_syslog.*/m, 'use_syslog = True')
        .replace(/^(syslog_log_level).*/m, `$1 = ${level}`);
      await writeFile(helper.config, text);
    };
    await configure('ERROR');
    assert.match(run(['id', '-u']).stderr, /^warning: use_syslog is set, but there is no \/dev\/log or no [^\n]*\n$/);
    assert.match(run(['ls']).stderr, /warning: "ls": refused/);
    const syslog = spawn('python3', ['-c', LISTEN], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(syslog.stdout, 'data');
      let heard = '';
      syslog.stdout.on('data', (text) => {
        heard += text;
      });
      for (const level of ['ERROR', 'INFO']) {
        await configure(level);
        assert.equal(run(['id', '-u']).stderr, '');
        assert.equal(run(['ls', level, '--password', 'secret']).code, 99);
      }
      const lines = () => heard.split('\n').filter((line) => line.includes('ashlar-rootwrap:'));
      for (let wait = 0; wait < 400 && lines().length < 3; wait += 1) await sleep(25);
      assert.deepEqual(
        lines()
          .map((line) => line.replace(/>.*ashlar-rootwrap/, '>'))
          .toSorted(),
        ['<44>: "ls ERROR --password ***": refused', '<44>: "ls INFO --password ***": refused', '<46>: "id -u": run'],
      );
    } finally {
      syslog.stdin.end();
      await once(syslog, 'close');
      await writeFile(helper.config, before);
    }
  });

  it('refuses to run when something of its own can be written by another', async () => {
    const parts = ['', 'rootwrap.conf', 'rootwrap.d', 'rootwrap.d/lvm.filters', 'ashlar-rootwrap', 'node'];
    for (const part of parts) {
      const path = join(helper.directory, part);
      await chmod(path, 0o777);
      assert.equal(run(['id']).code, 97, `${part} is writable by all`);
      await chmod(path, 0o755);
      await chown(path, helper.uid, 0);
      assert.equal(run(['id']).code, 97, `${part} is the user’s`);
      await chown(path, 0, 0);
    }
    assert.equal(run(['id', '-u']).code, 0);
    const filters = join(helper.directory, 'rootwrap.d');
    await rename(filters, `${filters}.real`);
    await mkdir(join(helper.directory, 'theirs'));
    await chown(join(helper.directory, 'theirs'), helper.uid, 0);
    await symlink(join(helper.directory, 'theirs'), filters);
    await writeFile(join(filters, 'all.filters'), '[Filters]\nsh: CommandFilter, sh, root\n');
    assert.equal(run(['sh', '-c', 'id']).code, 97, 'a symlink to a directory of the user’s');
    await rm(filters);
    await rename(`${filters}.real`, filters);
  });
});
