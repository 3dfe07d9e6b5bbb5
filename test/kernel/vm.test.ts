/** The lane itself: each VM is fresh, has a device-mapper, and keeps through a power cut what was flushed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingVm } from '../support/kernel-image.ts';
import { resumeVm } from '../support/kernel-vm.ts';

test('a resumed VM makes thin volumes, and is fresh again after a power cut but for its disk', {
  skip: missingVm() ?? false,
}, async () => {
  const vm = await resumeVm();
  try {
    const script = `set -e
      truncate -s 2G /var/lib/disk.img
      vgcreate -q --yes group "$(losetup --find --show /var/lib/disk.img)"
      lvcreate -q --yes --type thin-pool --size 1g --name pool group
      lvcreate -q --yes --thin --virtualsize 4g --name thin group/pool
      printf abc | dd of=/dev/group/thin conv=fsync status=none
      sync`;
    await vm.must(['sh', '-c', script], { timeoutMs: 120_000 });
    const { code, timedOut } = await vm.run(['sleep', '60'], { timeoutMs: 100 });
    assert.deepEqual({ code, timedOut }, { code: null, timedOut: true });
    await vm.powerCycle();
    assert.equal(await vm.must(['losetup', '--list', '--noheadings']), '');
    await vm.must(['sh', '-c', 'losetup --find /var/lib/disk.img && vgchange -ay group'], { timeoutMs: 120_000 });
    assert.equal(await vm.must(['head', '-c', '3', '/dev/group/thin']), 'abc');
  } finally {
    await vm.close();
  }
});
