import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ConfigError, parseFilters, parseSettings } from '../../../rootwrap/filters.ts';
import { type Decision, decide, type Look } from '../../../rootwrap/match.ts';

const look: Look = {
  program: (name) => (name === 'missing' ? null : name.startsWith('/') ? name : `/usr/bin/${name}`),
  realPath: (path) => path.replace('/link', '/etc'),
  executableOf: (pid) => (pid === '7' ? '/usr/sbin/tgtd' : null),
  isTrusted: (path) => path !== '/tmp',
};

/** What becomes of a command line under one filter: the command that is run, or the word for why not. */
function under(definitions: string, line: string): string {
  const decision: Decision = decide(parseFilters(`[Filters]\n${definitions}`), line.split(' '), look);
  if (decision.kind !== 'run') return decision.kind;
  return [...Object.entries(decision.env).map(([key, value]) => `${key}=${value}`), ...decision.argv].join(' ');
}

const table: Readonly<Record<string, readonly (readonly [definitions: string, line: string, becomes: string])[]>> = {
  CommandFilter: [
    ['a: CommandFilter, ls, root', 'ls -l /', '/usr/bin/ls -l /'],
    ['a: CommandFilter, /opt/ls, root', 'ls', '/opt/ls'],
    ['a: CommandFilter, /opt/ls, root', '/opt/ls', '/opt/ls'],
    ['a: CommandFilter, /opt/ls, root', '/tmp/ls', 'refused'],
    ['a: CommandFilter, ls, root', '/bin/ls', 'refused'],
    ['a: CommandFilter, missing, root', 'missing', 'not found'],
    ['a: CommandFilter, /x/missing, root\nb: CommandFilter, /y/ls, root', 'ls', '/y/ls'],
  ],
  RegExpFilter: [
    [
      'a: RegExpFilter, find, root, find, /[a-z]+, -maxdepth, \\d+',
      'find /x -maxdepth 1',
      '/usr/bin/find /x -maxdepth 1',
    ],
    ['a: RegExpFilter, find, root, find, /[a-z]+', 'find /x -delete', 'refused'],
    ['a: RegExpFilter, find, root, find, /[a-z]+', 'find /x/../y', 'refused'],
    ['a: RegExpFilter, find, root, find, a|b', 'find a;', 'refused'],
    ['a: RegExpFilter, find, root, find, (?P<x>a)', 'find a', 'refused'],
  ],
  PathFilter: [
    [
      'a: PathFilter, chown, root, nova, /var/lib/images',
      'chown nova /var/lib/images/a',
      '/usr/bin/chown nova /var/lib/images/a',
    ],
    ['a: PathFilter, chown, root, nova, /var/lib/images', 'chown root /var/lib/images/a', 'refused'],
    ['a: PathFilter, chown, root, nova, /var/lib/images', 'chown nova /var/lib/images-evil', 'refused'],
    ['a: PathFilter, chown, root, pass, /var/link', 'chown x /var/link/a', 'refused'],
    ['a: PathFilter, chown, root, pass, /var', 'chown x /var/link/a', '/usr/bin/chown x /var/etc/a'],
    ['a: PathFilter, chown, root, nova, /var', 'chown nova /var/a /var/b', 'refused'],
  ],
  EnvFilter: [
    ['a: EnvFilter, env, root, LC_ALL=C, lvs', 'env LC_ALL=C lvs -o x', 'LC_ALL=C /usr/bin/lvs -o x'],
    ['a: EnvFilter, env, root, LC_ALL=C, lvs', 'LC_ALL=C lvs', 'LC_ALL=C /usr/bin/lvs'],
    ['a: EnvFilter, env, root, LC_ALL=C, lvs', 'env LC_ALL=x lvs', 'refused'],
    ['a: EnvFilter, env, root, LC_ALL=C, lvs', 'lvs', 'refused'],
    ['a: EnvFilter, env, root, LC_ALL=C, lvs', 'env LC_ALL=C LD_PRELOAD=x lvs', 'refused'],
    ['a: EnvFilter, env, root, LC_ALL=C, lvs', 'env LC_ALL=C LC_ALL=C lvs', 'refused'],
    ['a: EnvFilter, env, root, A=, B=, lvs', 'env B=2 A=1 lvs', 'B=2 A=1 /usr/bin/lvs'],
    ['a: EnvFilter, env, root, A=, lvs', 'env A=1 sh', 'refused'],
    ['a: EnvFilter, env, root, A=, lvs', 'env -i A=1 lvs', 'refused'],
  ],
  ReadFileFilter: [
    ['a: ReadFileFilter, /etc/x', 'cat /etc/x', '/usr/bin/cat /etc/x'],
    ['a: ReadFileFilter, /etc/x', 'cat /etc/y', 'refused'],
    ['a: ReadFileFilter, /etc/x', 'cat /etc/x /etc/shadow', 'refused'],
  ],
  KillFilter: [
    ['a: KillFilter, root, /usr/sbin/tgtd, -9, -HUP', 'kill -9 7', '/usr/bin/kill -9 7'],
    ['a: KillFilter, root, /usr/sbin/tgtd, -9', 'kill -15 7', 'refused'],
    ['a: KillFilter, root, /usr/sbin/tgtd, -9', 'kill 7', 'refused'],
    ['a: KillFilter, root, /usr/sbin/tgtd', 'kill 7', '/usr/bin/kill 7'],
    ['a: KillFilter, root, /usr/sbin/tgtd, -9', 'kill -9 8', 'refused'],
    ['a: KillFilter, root, /usr/sbin/tgtd, -9', 'kill -9 -7', 'refused'],
    ['a: KillFilter, root, /usr/sbin/tgtd, -9', 'kill -9 7 8', 'refused'],
  ],
  IpFilter: [
    ['a: IpFilter, ip, root', 'ip link show', '/usr/bin/ip link show'],
    ['a: IpFilter, ip, root', 'ip netns list', '/usr/bin/ip netns list'],
    ['a: IpFilter, ip, root', 'ip netns exec x sh', 'refused'],
    ['a: IpFilter, ip, root', 'ip -4 net e x sh', 'refused'],
    ['a: IpFilter, ip, root', 'ip -batch /tmp/x', 'refused'],
  ],
  IpNetnsExecFilter: [
    [
      'a: IpNetnsExecFilter, ip, root\nb: CommandFilter, ls, root',
      'ip netns exec x ls -l',
      '/usr/bin/ip netns exec x /usr/bin/ls -l',
    ],
    ['a: IpNetnsExecFilter, ip, root\nb: CommandFilter, ls, root', 'ip netns exec x sh', 'refused'],
    ['a: IpNetnsExecFilter, ip, root\nb: CommandFilter, ls, root', 'ip netns exec x /tmp/ls', 'refused'],
    ['a: IpNetnsExecFilter, ip, root\nb: CommandFilter, ls, nobody', 'ip netns exec x ls', 'refused'],
    ['a: IpNetnsExecFilter, ip, root\nb: CommandFilter, ls, root', 'ip netns exec x', 'refused'],
  ],
  ChainingRegExpFilter: [
    [
      'a: ChainingRegExpFilter, ionice, root, ionice, -c[0-3]\nb: CommandFilter, dd, root',
      'ionice -c3 dd x',
      '/usr/bin/ionice -c3 /usr/bin/dd x',
    ],
    ['a: ChainingRegExpFilter, ionice, root, ionice, -c[0-3]\nb: CommandFilter, dd, root', 'ionice -c3 sh', 'refused'],
    ['a: ChainingRegExpFilter, ionice, root, ionice, -c[0-3]\nb: CommandFilter, dd, root', 'ionice -c9 dd', 'refused'],
    [
      'a: ChainingRegExpFilter, ionice, root, ionice, -c[0-3]\nb: EnvFilter, env, root, A=, dd',
      'ionice -c3 env A=1 dd',
      'A=1 /usr/bin/ionice -c3 /usr/bin/dd',
    ],
    ['a: ChainingRegExpFilter, ionice, root, ionice, -c[0-3]', 'ionice -c3 ionice -c3', 'refused'],
  ],
  ArgvFilter: [
    ["a: ArgvFilter, x, root, x 'a, b' ( --tag c )* ( d )?", 'x a,', 'refused'],
    ['a: ArgvFilter, x, root, x ( --tag c )* ( d )?', 'x', '/usr/bin/x'],
    ['a: ArgvFilter, x, root, x ( --tag c )* ( d )?', 'x --tag c --tag c d', '/usr/bin/x --tag c --tag c d'],
    ['a: ArgvFilter, x, root, x ( --tag c )* ( d )?', 'x --tag c --tag', 'refused'],
    ['a: ArgvFilter, x, root, x ( --tag c )* ( d )?', 'x d d', 'refused'],
    ['a: ArgvFilter, x, root, x a.c', 'x abc', 'refused'],
    ['p: x\n[Shapes]\nw: .*\n[Filters]\na: ArgvFilter, x, root, x {w} c', 'x a b c', 'refused'],
    ['p: x\n[Shapes]\nw: .*\n[Filters]\na: ArgvFilter, x, root, x {w} c', 'x a\nb c', 'refused'],
    ['p: x\n[Shapes]\nw: a|b\n[Filters]\na: ArgvFilter, x, root, x {w}c', 'x a', 'refused'],
    ['a: ArgvFilter, /opt/x, root, x a', 'x a', '/opt/x a'],
    [
      'p: x\n[Shapes]\ndir: trusted:/(etc|tmp)\n[Filters]\na: ArgvFilter, x, root, ( D={dir} )? x',
      'D=/etc x',
      'D=/etc /usr/bin/x',
    ],
    [
      'p: x\n[Shapes]\ndir: trusted:/(etc|tmp)\n[Filters]\na: ArgvFilter, x, root, ( D={dir} )? x',
      'D=/tmp x',
      'refused',
    ],
  ],
};

describe('filters', () => {
  for (const [kind, rows] of Object.entries(table)) {
    it(kind, () => {
      for (const [definitions, line, becomes] of rows)
        assert.equal(under(definitions, line), becomes, `${definitions}: ${line}`);
    });
  }

  it('take whole lists of arguments only: none, too many, NUL', () => {
    const filters = parseFilters('[Filters]\na: CommandFilter, ls, root');
    for (const argv of [[], ['ls', 'a\0b'], ['ls', ...Array<string>(2_000).fill('x')]]) {
      assert.equal(decide(filters, argv, look).kind, 'refused');
    }
  });

  it('are read as oslo.rootwrap reads them', () => {
    const text =
      '# c\n[Filters]\n; c\nOne = CommandFilter,ls,root\ntwo: CommandFilter, a,\n  root\none: CommandFilter, b, root\nx: NewFilter, y, root\n\n[Other]\nz: 1\n';
    assert.deepEqual(
      parseFilters(text).map(({ name, exec, runAs }) => [name, exec, runAs]),
      [
        ['two', 'a', 'root'],
        ['one', 'b', 'root'],
      ],
    );
  });

  it('that make no sense are a ConfigError', () => {
    const wrong = [
      'a',
      'a: CommandFilter',
      'a: CommandFilter, ls',
      'a: ArgvFilter, x, root',
      'a: ArgvFilter, x, root, {y}',
      "a: ArgvFilter, x, root, 'y",
      'a: ArgvFilter, x, root, ( y',
      'a: ArgvFilter, x, root, y )*',
      'a: ArgvFilter, x, root, ( ( y )? )*',
    ];
    for (const shape of ['[^/]+', '.*\\s.*', '\\S+', '\\012', '(?s:.*)', '[\t-~]+']) {
      const text = `[Shapes]\ny: ${shape}\n[Filters]\na: ArgvFilter, x, root, x {y}`;
      assert.throws(() => parseFilters(text), /could match more than one argument/, shape);
    }
    for (const line of wrong) assert.throws(() => parseFilters(`[Filters]\n${line}`), ConfigError, line);
    for (const text of [
      '',
      'x',
      '[DEFAULT]\nfilters_path=',
      '[DEFAULT]\nfilters_path=/a\nrlimit_nofile=x',
      '[DEFAULT]\nfilters_path=/a\nsyslog_log_level=x',
    ]) {
      assert.throws(() => parseSettings(text), ConfigError, text);
    }
  });

  it('settings are read, with oslo.rootwrap’s defaults', () => {
    const { execDirs: _, ...rest } = parseSettings('[DEFAULT]\nfilters_path = /a, /b\n');
    assert.deepEqual(rest, {
      filtersPath: ['/a', '/b'],
      useSyslog: false,
      syslogFacility: 'syslog',
      logsCommands: false,
      rlimitNofile: 1024,
    });
    const all = parseSettings(
      '[DEFAULT]\nfilters_path=/a\nexec_dirs=/x,/y\nuse_syslog=True\nsyslog_log_facility=LOG_DAEMON\nsyslog_log_level=INFO\nrlimit_nofile=64\n',
    );
    assert.deepEqual(
      [all.execDirs, all.useSyslog, all.syslogFacility, all.logsCommands, all.rlimitNofile],
      [['/x', '/y'], true, 'daemon', true, 64],
    );
  });

  const debian = '/etc/cinder/rootwrap.d/volume.filters';
  it('of Debian’s cinder-common work', { skip: existsSync(debian) ? false : 'apt-get install cinder-common' }, () => {
    const filters = parseFilters(readFileSync(debian, 'utf8'));
    assert.ok(filters.length > 60, `${filters.length} filters`);
    const becomes = (line: string) => decide(filters, line.split(' '), look).kind;
    assert.equal(
      becomes('env LC_ALL=C lvs --noheadings --unit=g -o vg_name,name,size --nosuffix --readonly cinder-volumes'),
      'run',
    );
    assert.equal(becomes('env LVM_SYSTEM_DIR=/etc/cinder LC_ALL=C lvcreate -T -V 1g -n volume-1 vg/pool'), 'run');
    assert.equal(becomes('ionice -c3 dd if=/dev/zero of=/dev/vg/x count=1'), 'run');
    assert.equal(becomes('find /mnt/nfs -maxdepth 1 -ignore_readdir_race -inum 5 -print0 -quit'), 'run');
    assert.equal(becomes('env LD_PRELOAD=x lvs'), 'refused');
    assert.equal(becomes('bash'), 'refused');
  });
});
