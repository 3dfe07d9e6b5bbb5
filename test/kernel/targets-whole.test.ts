/** All obligations of the targets on a real kernel: LIO, nvmet and tgt, with initiators at the other end. Long. */
import { test } from 'node:test';
import { runInVm } from '../support/guest-tests.ts';
import { missingVm } from '../support/kernel-image.ts';

const LIMIT_MS = 20 * 60_000;
const files = ['lio', 'lio-details', 'nvmet', 'tgt', 'tgt-details'];

for (const name of files) {
  test(`target ${name} on a real kernel`, { skip: missingVm() ?? false }, (t) =>
    runInVm(t, `test/integration/targets/${name}.test.ts`, { timeoutMs: LIMIT_MS }),
  );
}
