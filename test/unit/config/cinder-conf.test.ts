import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { optionGroups } from '../../../src/cmd/options.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { databaseOptions } from '../../../src/db/options.ts';
import { serviceOptions } from '../../../src/service/options.ts';
import { backendOptions, volumeServiceOptions } from '../../../src/volume/options.ts';

/** As an operator's file looks: both signs, a list over several lines, other services' groups, two backends. */
const cinderConf = `
[DEFAULT]
my_ip = 192.0.2.10
state_path: /var/lib/cinder
log_dir = /var/log/cinder
transport_url = rabbit://openstack:Rabbit$$Pass@controller:5672/
glance_api_servers = http://controller:9292
enabled_backends =
    lvm-1,
    LVM2
rootwrap_config = /etc/cinder/rootwrap.conf

[database]
connection = "postgresql://cinder:Db$$Pass@\${DEFAULT.my_ip}/cinder"

[keystone_authtoken]
www_authenticate_uri = http://controller:5000
password = KeystonePass

[oslo_concurrency]
lock_path = /var/lib/cinder/tmp

[backend_defaults]
volume_driver = cinder.volume.drivers.lvm.LVMVolumeDriver
reserved_percentage = 5

[lvm-1]
volume_backend_name = gold
max_over_subscription_ratio = auto
image_volume_cache_enabled = True

[LVM2]
reserved_percentage = 10
`;

it('a cinder.conf is read as it is, with one warning for what Ashlar does not have', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'cinder-conf-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'cinder.conf');
  await writeFile(file, cinderConf);
  const config = await loadConfig({ files: [file], known: optionGroups });

  const service = config.section('DEFAULT', serviceOptions);
  const database = config.section('database', databaseOptions);
  const { enabled_backends } = config.section('DEFAULT', volumeServiceOptions);
  const backends = enabled_backends.map((name) => config.backendSection(name, backendOptions));
  const warnings = config.finish();

  assert.deepEqual([service.my_ip, service.state_path], ['192.0.2.10', '/var/lib/cinder']);
  assert.equal(service.transport_url, 'rabbit://openstack:Rabbit$Pass@controller:5672/');
  assert.equal(database.connection, 'postgresql://cinder:Db$Pass@192.0.2.10/cinder');
  assert.deepEqual(enabled_backends, ['lvm-1', 'LVM2']);
  assert.deepEqual(
    backends.map((backend) => [
      backend.volume_driver,
      backend.volume_backend_name,
      backend.reserved_percentage,
      backend.max_over_subscription_ratio,
    ]),
    [
      ['cinder.volume.drivers.lvm.LVMVolumeDriver', 'gold', 5, 'auto'],
      ['cinder.volume.drivers.lvm.LVMVolumeDriver', null, 10, '20.0'],
    ],
  );
  assert.equal(warnings.length, 1, warnings.join('\n'));
  for (const name of ['log_dir', 'glance_api_servers', 'rootwrap_config', '[keystone_authtoken]', 'lock_path']) {
    assert.ok(warnings[0]!.includes(name), name);
  }
  assert.ok(!/KeystonePass|DbPass|Rabbit/.test(warnings[0]! + JSON.stringify(config.describe())));
});
