/** The volume driver's obligations for LVM, thick and thin, with a device-mapper under it. */
import { test } from 'node:test';
import { runInVm } from '../support/guest-tests.ts';
import { missingVm } from '../support/kernel-image.ts';

const LIMIT_MS = 12 * 60_000;

test('LVM on a real kernel', { skip: missingVm() ?? false }, (t) =>
  // Failing at every step takes most of the time: lvm-every-step.test.ts.
  runInVm(t, 'test/integration/drivers/lvm.test.ts', { timeoutMs: LIMIT_MS, except: 'may fail at every step' }),
);
