/** Every method of the LVM driver on a real kernel, stopped at each of its steps, done again or given up. Long. */
import { test } from 'node:test';
import { runInVm } from '../support/guest-tests.ts';
import { missingVm } from '../support/kernel-image.ts';

const LIMIT_MS = 60 * 60_000;

test('LVM on a real kernel may fail at every step', { skip: missingVm() ?? false }, (t) =>
  runInVm(t, 'test/integration/drivers/lvm.test.ts', { timeoutMs: LIMIT_MS, only: 'may fail at every step' }),
);
