/** What LVM, thick and thin, does with bytes on a real kernel. All the rest: lvm-whole.test.ts, long. */
import { test } from 'node:test';
import { runInVm } from '../support/guest-tests.ts';
import { missingVm } from '../support/kernel-image.ts';

const LIMIT_MS = 10 * 60_000;
const CORE = 'reads as zeros|what is made from it is independent|extending keeps';

test('LVM on a real kernel', { skip: missingVm() ?? false }, (t) =>
  runInVm(t, 'test/integration/drivers/lvm.test.ts', { timeoutMs: LIMIT_MS, only: CORE }),
);
