import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/faults.ts';
import { type LoadConfig, loadConfig } from '../../../src/config/load.ts';
import { option } from '../../../src/config/options.ts';

const service = {
  state_path: option.string('/var/lib/x', 'Where state is.'),
  enabled_backends: option.list([], 'Backends.'),
  workers: option.integer(4, 'Workers.', { min: 1, deprecatedNames: ['threads', 'old/threads'] }),
  rabbit_password: option.string('guest', 'Secret.', { secret: true }),
  rabbit_url: option.string('amqp://u:$rabbit_password@h', 'Url.'),
  lock_path: option.string('$state_path/locks', 'Locks.'),
  extension: option.multi(['standard'], 'Extensions.'),
} as const;
const backend = {
  volume_driver: option.string('lvm', 'Driver.'),
  volume_group: option.string('cinder-volumes', 'Group.'),
  volumes_dir: option.string('$state_path/volumes', 'Directory.'),
  lvm_type: option.string('thin', 'Type.', { choices: ['thin', 'default'] }),
} as const;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

let fileNumber = 0;
async function fileOf(...lines: string[]): Promise<string> {
  fileNumber += 1;
  const path = join(folder, `${fileNumber}.conf`);
  await writeFile(path, lines.join('\n'));
  return path;
}

async function load(lines: readonly string[], more: Partial<LoadConfig> = {}): Promise<Config> {
  return loadConfig({ files: [await fileOf(...lines)], ...more });
}

function faultsOf(config: Config): readonly string[] {
  try {
    config.finish();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    for (const fault of error.faults) assert.ok(error.message.includes(fault.message));
    return error.faults.map(
      ({ file, line, group, option }) => `${file?.replace(/.*\/\d+/, '')}:${line} [${group}] ${option}`,
    );
  }
  return [];
}

describe('a configuration', () => {
  it('gives values of the file, and defaults, with references resolved', async () => {
    const config = await load(['[DEFAULT]', 'state_path = /data', 'workers = 2', 'extension = a', 'extension = b']);
    const values = config.section('DEFAULT', service);
    assert.deepEqual(config.finish(), []);
    assert.deepEqual(
      { ...values },
      {
        state_path: '/data',
        enabled_backends: [],
        workers: 2,
        rabbit_password: 'guest',
        rabbit_url: 'amqp://u:guest@h',
        lock_path: '/data/locks',
        extension: ['a', 'b'],
      },
    );
  });

  it('looks for a backend in its group, then backend_defaults, never in DEFAULT', async () => {
    const config = await load([
      '[DEFAULT]',
      'state_path = /data',
      'volume_group = wrong',
      '[backend_defaults]',
      'volume_group = shared',
      'lvm_type = default',
      '[LVM]',
      'lvm_type = thin',
    ]);
    config.section('DEFAULT', service);
    const values = config.backendSection('lvm', backend);
    config.finish();
    const expected = { volume_driver: 'lvm', volume_group: 'shared', volumes_dir: '/data/volumes', lvm_type: 'thin' };
    assert.deepEqual({ ...values }, expected);
  });

  it('can be read before all is declared', async () => {
    const config = await load(['[DEFAULT]', 'enabled_backends = a, b', '[a]', 'volume_driver = file', 'lvm_type = x']);
    const { enabled_backends } = config.section('DEFAULT', service);
    assert.deepEqual(enabled_backends, ['a', 'b']);
    const { volume_driver } = config.backendSection('a', { volume_driver: backend.volume_driver });
    assert.equal(volume_driver, 'file');
    const values = config.backendSection('a', backend);
    assert.equal(values.lvm_type, 'thin', 'a faulty value reads as the default until finish');
    assert.deepEqual(faultsOf(config), ['.conf:5 [a] lvm_type']);
  });

  it('reports every fault at once, in the order of the file', async () => {
    const config = await load(
      [
        'early = 1',
        '[DEFAULT]',
        'workers = 0',
        'rubbish',
        'rabbit_url = $nowhere',
        '[backend_defaults]',
        'lvm_type = fat',
        '[b]',
        'volume_group = ${b.volume_group}',
      ],
      { overrides: { DEFAULT: { lock_path: '$lock_path/x' } } },
    );
    config.section('DEFAULT', service);
    config.backendSection('a', backend);
    config.backendSection('b', backend);
    assert.deepEqual(faultsOf(config).toSorted(), [
      '.conf:1 [null] null',
      '.conf:3 [DEFAULT] workers',
      '.conf:4 [null] null',
      '.conf:5 [DEFAULT] rabbit_url',
      '.conf:7 [backend_defaults] lvm_type',
      '.conf:9 [b] volume_group',
      'override:0 [DEFAULT] lock_path',
    ]);
    assert.throws(() => config.finish(), /7 faults:\n.*:1: 'early' stands before/s);
    assert.throws(() => config.finish(), /\.conf:3: \[DEFAULT\] workers: '0' is less than 1/);
  });

  it('reports a file that is missing or not text, and reads the others', async () => {
    const bad = join(folder, 'bad.conf');
    await writeFile(bad, Buffer.from([0x5b, 0x61, 0x5d, 0x0a, 0x78, 0x3d, 0xff]));
    const good = await fileOf('[DEFAULT]', 'workers = 0');
    const config = await loadConfig({ files: [join(folder, 'none.conf'), bad, good, folder] });
    config.section('DEFAULT', service);
    assert.throws(
      () => config.finish(),
      (error: Error) => {
        assert.match(error.message, /none\.conf: there is no such file/);
        assert.match(error.message, /bad\.conf: is not UTF-8/);
        assert.match(error.message, /EISDIR/);
        assert.match(error.message, /workers: '0'/);
        return true;
      },
    );
  });

  it('lets a later file win, overrides win over files, and files over start-up defaults', async () => {
    const files = [
      await fileOf('[DEFAULT]', 'workers = 2', 'state_path = /one', 'extension = one'),
      await fileOf('[DEFAULT]', 'workers = 3', 'extension = two'),
    ];
    const config = await loadConfig({
      files,
      overrides: { DEFAULT: { state_path: '/over' } },
      defaults: { DEFAULT: { workers: '9', rabbit_password: 'made' } },
    });
    const values = config.section('DEFAULT', service);
    assert.deepEqual(
      [values.workers, values.state_path, values.rabbit_password, values.extension],
      [3, '/over', 'made', ['one', 'two']],
    );
  });

  it('takes deprecated names, with a warning, and prefers the name of today', async () => {
    for (const lines of [
      ['[DEFAULT]', 'threads = 7'],
      ['[old]', 'threads = 7'],
    ]) {
      const config = await load(lines);
      const { workers } = config.section('DEFAULT', service);
      const warnings = config.finish();
      assert.equal(workers, 7);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /\.conf:2: \[\w+\] threads is a deprecated name; write \[DEFAULT\] workers/);
    }
    const both = await load(['[DEFAULT]', 'workers = 2', 'threads = 7']);
    assert.equal(both.section('DEFAULT', service).workers, 2);
  });

  it('finds a circle of references, and a piece of a secret in none of its messages', async () => {
    const config = await load(['[DEFAULT]', 'state_path = ${lock_path}', 'rabbit_password = s3cr$et99']);
    config.section('DEFAULT', service);
    assert.throws(
      () => config.finish(),
      (error: Error) => {
        assert.match(error.message, /circle/);
        assert.match(error.message, /rabbit_password: a reference in it names no option; write \$\$/);
        assert.ok(!/s3cr|et99/.test(error.message));
        return true;
      },
    );
  });

  it('refers to options that nobody declares, and to known ones of other parts', async () => {
    const known = [{ group: 'DEFAULT', title: 'x', options: { my_ip: option.hostAddress('10.0.0.9', 'x') } }];
    const config = await load(['[DEFAULT]', 'base = /b', 'state_path = $base/s', 'lock_path = $my_ip'], { known });
    const values = config.section('DEFAULT', service);
    assert.equal(values.state_path, '/b/s');
    assert.equal(values.lock_path, '10.0.0.9');
  });

  it('describes every option with its place, and masks secrets wherever they went', async () => {
    const config = await load(['[DEFAULT]', 'rabbit_password = hunter2', 'workers = 2']);
    config.section('DEFAULT', service);
    const described = config.describe();
    const find = (name: string) => described.find((item) => item.option === name);
    assert.deepEqual({ ...find('workers'), from: '' }, { group: 'DEFAULT', option: 'workers', value: 2, from: '' });
    assert.match(find('workers')!.from, /\.conf:3$/);
    assert.equal(find('state_path')!.from, 'default');
    assert.equal(find('rabbit_password')!.value, '****');
    assert.equal(find('rabbit_url')!.value, '****');
    assert.ok(!JSON.stringify(described).includes('hunter2'));
  });

  it('refuses two declarations of one option that differ', async () => {
    const config = await load([]);
    config.section('DEFAULT', { workers: option.integer(4, 'x') });
    config.section('DEFAULT', { workers: option.integer(4, 'the same, said otherwise') });
    assert.deepEqual(config.finish(), []);
    config.section('DEFAULT', { workers: option.integer(5, 'x') });
    assert.throws(() => config.finish(), /workers: is declared twice/);
  });
});

describe('warnings', () => {
  it('name unknown options and groups once, with the nearest name', async () => {
    const config = await load([
      '[DEFAULT]',
      'worker = 1',
      'worker = 2',
      'quite_other = 1',
      '[default]',
      'x = 1',
      'y = 1',
      '[lvmm]',
      'a = 1',
    ]);
    config.section('DEFAULT', service);
    config.backendSection('lvm', backend);
    const warnings = config.finish();
    assert.equal(warnings.length, 4, warnings.join('\n'));
    assert.match(warnings[0]!, /\.conf:2: \[DEFAULT\] worker is not known.*did you mean workers\?$/);
    assert.match(warnings[1]!, /:4: \[DEFAULT\] quite_other is not known and is ignored$/);
    assert.match(warnings[2]!, /:6: group \[default\].*did you mean \[DEFAULT\]\?$/);
    assert.match(warnings[3]!, /:9: group \[lvmm\].*did you mean \[lvm\]\?$/);
  });

  it("speak once of all that is Cinder's alone", async () => {
    const config = await load([
      '[DEFAULT]',
      'glance_num_retries = 3',
      'backup_api_class = x',
      '[keystone_authtoken]',
      'www_authenticate_uri = x',
      '[oslo_policy]',
      'enforce_scope = x',
      '[lvm]',
      'use_multipath_for_image_xfer = true',
    ]);
    config.section('DEFAULT', service);
    config.backendSection('lvm', backend);
    const warnings = config.finish();
    assert.equal(warnings.length, 1, warnings.join('\n'));
    for (const name of [
      'glance_num_retries',
      'backup_api_class',
      'www_authenticate_uri',
      'enforce_scope',
      'multipath',
    ]) {
      assert.ok(warnings[0]!.includes(name), name);
    }
  });

  it('tell a backend that is not enabled from a slip, and know the options of other parts', async () => {
    const known = [
      { group: 'DEFAULT', title: 'x', options: { api_only: option.string('', 'x') } },
      { group: 'backend_defaults', title: 'x', options: { file_dir: option.string('', 'x') } },
    ];
    const lines = ['[DEFAULT]', 'api_only = 1', '[lvm]', 'file_dir = x', '[ceph]', 'volume_driver = rbd', 'pool = x'];
    const config = await load(lines, { known });
    config.section('DEFAULT', service);
    config.backendSection('lvm', backend);
    const warnings = config.finish();
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0]!, /\[ceph\] looks like a backend but enabled_backends does not name it/);
  });
});
