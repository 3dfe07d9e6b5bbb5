/** LIO and nvmet on a real kernel: logged in to, written, read on the device, restored. All the rest: targets-whole.test.ts, long. */
import { test } from 'node:test';
import { runInVm } from '../support/guest-tests.ts';
import { missingVm } from '../support/kernel-image.ts';

const LIMIT_MS = 8 * 60_000;
const CORE = { 'lio-details': 'the kernel logs in|brings it back', nvmet: 'the kernel connects' } as const;

for (const [name, only] of Object.entries(CORE)) {
  test(`target ${name} on a real kernel`, { skip: missingVm() ?? false }, (t) =>
    runInVm(t, `test/integration/targets/${name}.test.ts`, { timeoutMs: LIMIT_MS, only }),
  );
}
