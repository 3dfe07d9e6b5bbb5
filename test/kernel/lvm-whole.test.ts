/** All of the volume driver's obligations for LVM on a real kernel, each method stopped at each of its steps; faults; broken disks. */
import { test } from 'node:test';
import { runInVm } from '../support/guest-tests.ts';
import { missingVm } from '../support/kernel-image.ts';

const LIMIT_MS = 60 * 60_000;
const skip = missingVm() ?? false;

for (const name of ['lvm', 'lvm-faults', 'lvm-broken-disks']) {
  test(`${name} on a real kernel, whole`, { skip }, (t) =>
    runInVm(t, `test/integration/drivers/${name}.test.ts`, { timeoutMs: LIMIT_MS }),
  );
}
