/** Each way that is known of making a filter allow more than it says, tried on commands that the project's filters allow. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import * as lvm from '../../../drivers/volume/lvm/commands.ts';
import { parseFilters } from '../../../rootwrap/filters.ts';
import { decide } from '../../../rootwrap/match.ts';
import { createLook } from '../../../rootwrap/trust.ts';
import { plainLook, realFilters } from '../../support/real-filters.ts';

type Argv = readonly string[];

const VG = 'cinder-volumes';
const VOLUME = 'volume-0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d';
const DEVICE = `/dev/${VG}/${VOLUME}`;
const NQN = `nqn.2010-10.org.openstack:${VOLUME}`;
const named = { volumeGroup: VG, name: VOLUME, tags: ['ashlar'] };
const range = { device: DEVICE, from: 0, to: 2 ** 30 };
const words = (line: string): Argv => line.split(' ');

const commands: readonly Argv[] = [
  lvm.showAll(VG),
  ['env', 'LVM_SYSTEM_DIR=/etc/cinder', 'LVM_SUPPRESS_FD_WARNINGS=1', ...lvm.showAll(VG)],
  lvm.createThick({ ...named, sizeBytes: 2 ** 30 }, { metadataOnly: false }),
  lvm.extend(VG, VOLUME, 2 ** 31),
  lvm.rename(VG, VOLUME, `deleted-${VOLUME}`),
  lvm.addTag(VG, VOLUME, 'ashlar.making'),
  lvm.copy(range, DEVICE, { skipZeros: true }),
  lvm.withIonice('-c2 -n7', lvm.zeroOut(range)),
  words(`@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=1 path=${DEVICE} bstype=rdwr`),
  words(`tgtadm --control-port 0 --lld iscsi --mode target --op delete --tid 3 --force`),
  words(`@write /sys/kernel/config/nvmet/subsystems/${NQN}/namespaces/10/device_path ${DEVICE}`),
  words(`@link /sys/kernel/config/nvmet/subsystems/${NQN} /sys/kernel/config/nvmet/ports/1/subsystems/${NQN}`),
];

/** The same command with each of these words in each place, from the program's own on. */
function inserted(argv: Argv, ...more: readonly Argv[]): Argv[] {
  return argv.flatMap((_, at) => more.map((each) => argv.toSpliced(at + 1, 0, ...each)));
}

/** The same command with one word after the other changed; where the change does nothing, none. */
function changed(argv: Argv, ...changes: readonly ((word: string) => string)[]): Argv[] {
  return argv.flatMap((word, at) =>
    changes.filter((change) => change(word) !== word).map((change) => argv.with(at, change(word))),
  );
}

const put = (from: string, to: string) => (word: string) => word.replace(from, to);
const bare = (argv: Argv) => argv.slice(argv.findLastIndex((word, at) => at < 3 && /^env$|^[A-Z_]+=/.test(word)) + 1);

const categories: Readonly<Record<string, (argv: Argv) => readonly Argv[]>> = {
  'an extra argument, anywhere': (argv) =>
    inserted(argv, ['x'], [''], ['--'], ['-'], ['--force'], ['--verbose'], ['/dev/sda'], [`${VG}/root`], ['@ashlar']),
  'another volume group': (argv) =>
    changed(
      argv,
      ...['other', 'cinder-volumes2', 'xcinder-volumes', 'cinder_volumes', 'Cinder-Volumes', '', '.', 'mapper'].map(
        (group) => put(VG, group),
      ),
    ),
  'a volume that is none of ours': (argv) =>
    changed(
      argv,
      ...['root', 'volume-1', `${VOLUME}x`, `x${VOLUME}`, VOLUME.toUpperCase(), VOLUME.slice(0, -1), `${VOLUME}p1`].map(
        (name) => put(VOLUME, name),
      ),
    ),
  'a way up: ../': (argv) =>
    changed(
      argv,
      ...['../', './', '/', '//', '..', `../${VG}/`, '../../etc/'].map((way) => put(VOLUME, `${way}${VOLUME}`)),
      put('/dev/', '/dev/../dev/'),
      put('/config/', '/config/../config/'),
      put('/tgtd/', '/tgtd/../tgtd/'),
      put('/etc/cinder', '/etc/cinder/../../tmp'),
      (word) => `${word}/..`,
      (word) => `${word}/`,
    ),
  'an absolute path elsewhere': (argv) =>
    changed(
      argv,
      ...['/etc/shadow', '/dev/sda', '/dev/mem', '/proc/self/root/etc/shadow', '/tmp/x', `/tmp${DEVICE}`].flatMap(
        (path) => [
          (word: string) => word.replace(/^\/.*/, path),
          (word: string) => word.replace(/=\/.*/, `=${path}`),
          (word: string) => (word.includes('/') ? word : path),
        ],
      ),
    ),
  'a shell’s signs: ; | & $( ` > *': (argv) =>
    changed(
      argv,
      ...[
        ';',
        ';id',
        '|sh',
        '&&id',
        '&',
        '$(id)',
        '`id`',
        '>/etc/x',
        '<x',
        '*',
        '?',
        '~',
        '{a,b}',
        '$IFS',
        '\\',
        '"',
        "'",
      ].map((sign) => (word: string) => word + sign),
      (word) => `;${word}`,
      (word) => `$(${word})`,
    ),
  'a newline and other controls': (argv) =>
    changed(
      argv,
      ...[
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        '\nx',
        '\0',
        '\t',
        ' ',
        '\v',
        '\f',
        '\x1b[0m',
        '\x7f',
        '\u0085',
        '\u2028',
      ].flatMap((control) => [
        (word: string) => word + control,
        (word: string) => control + word,
        (word: string) => word.slice(0, 2) + control + word.slice(2),
      ]),
    ).concat(argv.slice(1).map((word, at) => argv.toSpliced(at, 2, `${argv[at]}\n${word}`))),
  'tricks with the environment': (argv) =>
    [
      ['LD_PRELOAD=/tmp/x.so'],
      ['LD_LIBRARY_PATH=/tmp'],
      ['PATH=/tmp'],
      ['BASH_ENV=/tmp/x'],
      ['IFS=x'],
      ['NODE_OPTIONS=--require=/tmp/x.js'],
      ['DM_DEV_DIR=/tmp'],
      ['LVM_SYSTEM_DIR='],
      ['LVM_SYSTEM_DIR=/tmp'],
      ['LVM_SYSTEM_DIR=/etc'],
      ['LVM_SYSTEM_DIR=etc/cinder'],
      ['LVM_SYSTEM_DIR=/etc/cinder', 'LVM_SYSTEM_DIR=/tmp'],
      ['LVM_SUPPRESS_FD_WARNINGS=1', 'LVM_SYSTEM_DIR=/tmp'],
      ['LVM_SUPPRESS_FD_WARNINGS=1', 'LD_PRELOAD=/tmp/x.so'],
      ['TGT_IPC_SOCKET=/tmp/socket'],
      ['env'],
      ['-i'],
      ['-S', 'sh'],
      ['-C', '/tmp'],
      ['-u', 'PATH'],
    ]
      .flatMap((tricks) => [
        ['env', ...tricks, ...bare(argv)],
        [...tricks, ...bare(argv)].filter((word, at) => at > 0 || word !== 'env'),
      ])
      .filter((each) => each.length !== bare(argv).length),
  'configuration of its own: --config and its like': (argv) =>
    inserted(
      argv,
      ['--config', 'global { thin_check_executable = "/tmp/x" }'],
      ['--config=activation{}'],
      ['--conf', 'x'],
      ['--profile', 'x'],
      ['--commandprofile', 'x'],
      ['--devicesfile', '/tmp/x'],
      ['--devices', '/dev/sda'],
      ['--conf=/tmp/x'],
    ).concat(changed(argv, put('retry_deactivation = 1', 'retry_deactivation = 1 } global {'))),
  'options that write: -o, of=, --file': (argv) =>
    inserted(
      argv,
      ['-o', '/etc/passwd'],
      ['-o/etc/passwd'],
      ['--output', '/etc/passwd'],
      ['--output=/etc/passwd'],
      ['-f', '/etc/passwd'],
      ['--file', '/etc/passwd'],
      ['of=/etc/passwd'],
      ['if=/etc/shadow'],
      ['--log=/etc/passwd'],
      ['--params', 'path=/etc/passwd'],
    ),
  'another program by its path': (argv) => {
    const [program = '', ...args] = bare(argv);
    const others = ['/tmp/', './', '../', '/usr/sbin/', '/usr/sbin/../../tmp/', '/'].map((way) => way + program);
    return [...others, `${program}x`, `x${program}`, program.toUpperCase(), `${program} `, ''].map((each) => [
      each,
      ...args,
    ]);
  },
  'look-alikes in Unicode': (argv) =>
    changed(
      argv,
      ...Object.entries({
        a: 'а',
        e: 'е',
        o: 'о',
        i: 'і',
        s: 'ſ',
        k: '\u212a',
        c: 'с',
        '-': '\u2011',
        '/': '\uff0f',
        '1': '\uff11',
      }).map(([letter, like]) => put(letter, like)),
      put('0', '\u0660'),
      put('.', '\u3002'),
      ...['\u200b', '\u200d', '\u202e', '\u0301', '\ufeff', '\u00ad'].map((hidden) => (word: string) => word + hidden),
      (word) => word.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)),
    ),
};

describe('near misses', () => {
  const filters = realFilters();
  const kind = (argv: Argv) => decide(filters, argv, plainLook).kind;

  it('start from what is allowed', () => {
    assert.deepEqual(
      commands.filter((argv) => !['run', 'verb'].includes(kind(argv))),
      [],
    );
  });

  for (const [category, misses] of Object.entries(categories)) {
    it(`${category}: refused`, (t: TestContext) => {
      const tried = commands.flatMap(misses);
      t.diagnostic(`${tried.length} tried`);
      assert.ok(tried.length >= 20, `only ${tried.length}`);
      assert.deepEqual(
        tried.filter((argv) => kind(argv) !== 'refused'),
        [],
      );
    });
  }
});

describe('near misses on the disk', { skip: process.getuid?.() === 0 ? false : 'changing owners takes root' }, () => {
  const OTHER = 12_345;
  let root: string;
  before(() => {
    root = mkdtempSync(join(realpathSync(tmpdir()), 'ashlar-near-'));
    for (const name of ['own', 'open', 'secret']) mkdirSync(join(root, name));
    for (const name of ['own/lvs', 'open/lvs']) writeFileSync(join(root, name), '', { mode: 0o755 });
    chmodSync(join(root, 'open'), 0o777);
    symlinkSync(join(root, 'secret'), join(root, 'own/link'));
    lchownSync(join(root, 'own/link'), OTHER, OTHER);
  });
  after(() => rmSync(root, { recursive: true }));
  const look = (...directories: string[]) =>
    createLook(
      directories.map((name) => join(root, name)),
      null,
    );

  it('symlinks: a path is where it leads to, and one that another made leads nowhere', () => {
    const path = parseFilters(`[Filters]\na: PathFilter, lvs, root, ${root}/own`);
    assert.equal(decide(path, ['lvs', `${root}/own/lvs`], look('own')).kind, 'run');
    for (const way of ['own/link', 'own/link/x', 'own/../secret', 'secret']) {
      assert.equal(decide(path, ['lvs', `${root}/${way}`], look('own')).kind, 'refused', way);
    }
    // The command gets the path that was looked at, not the one that was given.
    const around = decide(path, ['lvs', `${root}/own/link/../secret`], look('own'));
    assert.ok(around.kind === 'run');
    assert.equal(around.argv[1], `${root}/own/secret`);
    const trusted = parseFilters(
      `[Shapes]\nd: trusted:${root}/[a-z/]+\n[Filters]\na: ArgvFilter, lvs, root, LVM_SYSTEM_DIR={d} lvs`,
    );
    const kind = (name: string) => decide(trusted, [`LVM_SYSTEM_DIR=${root}/${name}`, 'lvs'], look('own')).kind;
    assert.deepEqual(['own', 'own/link', 'open', 'none'].map(kind), ['run', 'refused', 'refused', 'refused']);
  });

  it('another binary earlier in PATH: one from a directory that others can change is passed over', () => {
    const filters = parseFilters('[Filters]\na: ArgvFilter, lvs, root, lvs');
    const decision = decide(filters, ['lvs'], look('open', 'own'));
    assert.ok(decision.kind === 'run');
    assert.equal(decision.argv[0], join(root, 'own/lvs'));
    assert.equal(decide(filters, ['lvs'], look('open', 'own/link')).kind, 'not found');
    assert.equal(decide(filters, [join(root, 'open/lvs')], look('open', 'own')).kind, 'refused');
  });
});
