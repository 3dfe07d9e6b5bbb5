/** A user without rights makes, exports and removes a volume on a real kernel, by the helper and its one sudoers line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as lvm from '../../drivers/volume/lvm/commands.ts';
import { missingVm } from '../support/kernel-image.ts';
import { type KernelVm, resumeVm } from '../support/kernel-vm.ts';

const LIMIT_MS = 60_000;

/** As a package would install it; a volume group and a tgtd as an administrator makes them. */
const INSTALL = `set -eu
useradd --system --no-create-home --shell /usr/sbin/nologin ashlar
{ echo '#!/usr/local/bin/node'; grep -v '^#!' /opt/ashlar/dist/rootwrap.js; } >/usr/bin/ashlar-rootwrap
chmod 755 /usr/bin/ashlar-rootwrap
mkdir -p /etc/ashlar
cp -r /opt/ashlar/etc/rootwrap.conf /opt/ashlar/etc/rootwrap.d /etc/ashlar/
install -m 440 /opt/ashlar/etc/sudoers.d/ashlar /etc/sudoers.d/ashlar
chown -R root:root /etc/ashlar /etc/sudoers.d/ashlar
chmod -R go-w /etc/ashlar
truncate -s 8G /root/disk.img
vgcreate --yes ashlar-volumes "$(losetup --find --show /root/disk.img)"
tgtd`;
const VOLUME = 'volume-0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d';
const IQN = `iqn.2010-10.org.openstack:${VOLUME}`;
const TGT = ['@tgt', '/var/run/tgtd/socket.0', 'iscsi'];

test('a user without rights keeps volumes on LVM and exports them, and nothing else', {
  skip: missingVm() ?? false,
}, async () => {
  const vm = await resumeVm();
  try {
    await tell(vm);
  } finally {
    await vm.close();
  }
});

async function tell(vm: KernelVm): Promise<void> {
  await vm.must(['sh', '-c', INSTALL], { timeoutMs: LIMIT_MS });
  const named = { volumeGroup: 'ashlar-volumes', name: VOLUME, tags: ['ashlar'] };
  await asAshlar(vm, ...lvm.createThick({ ...named, sizeBytes: 64 * 2 ** 20 }, { metadataOnly: false }));
  const device = `/dev/ashlar-volumes/${VOLUME}`;
  await assert.rejects(
    asAshlar(vm, ...TGT, 'logicalunit', 'new', 'tid=1', 'lun=1', 'path=/etc/shadow', 'bstype=rdwr'),
    /99/,
  );
  await asAshlar(vm, ...TGT, 'target', 'new', 'tid=1', `targetname=${IQN}`);
  assert.equal(
    await asAshlar(vm, ...TGT, 'logicalunit', 'new', 'tid=1', 'lun=1', `path=${device}`, 'bstype=rdwr'),
    '0',
  );
  await asAshlar(vm, ...TGT, 'target', 'bind', 'tid=1', 'initiator-address=ALL');
  const io = ['-c', 'write -P 0x5a 0 4M', '-c', 'flush', '-c', 'read -P 0x5a 0 4M', '-c', 'read -P 0 4M 4M'];
  const said = await vm.must(['qemu-io', '-f', 'raw', ...io, `iscsi://127.0.0.1/${IQN}/1`], { timeoutMs: LIMIT_MS });
  assert.doesNotMatch(said, /verification failed|error/i);
  await asAshlar(vm, ...TGT, 'target', 'delete', 'tid=1', 'force');
  await asAshlar(vm, ...lvm.remove('ashlar-volumes', VOLUME));
  assert.equal((await vm.must(['lvs', '--noheadings', 'ashlar-volumes'])).trim(), '');
}

/** By sudo and the one-shot helper, which is all that this user may. */
async function asAshlar(vm: KernelVm, ...argv: readonly string[]): Promise<string> {
  const user = ['setpriv', '--reuid=ashlar', '--regid=ashlar', '--clear-groups', '--'];
  const helper = ['sudo', '-n', '--', '/usr/bin/ashlar-rootwrap', '/etc/ashlar/rootwrap.conf'];
  return (
    await vm.must(['sh', '-c', 'cd / && exec "$@" </dev/null', 'sh', ...user, ...helper, ...argv], {
      timeoutMs: LIMIT_MS,
    })
  ).trim();
}
