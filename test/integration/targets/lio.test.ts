import { test } from 'node:test';
import { targetSuite } from '../../suites/target.ts';
import { missingInitiator } from '../../support/initiator.ts';
import { missingLio, openLioBed } from '../../support/lio-bed.ts';

const missing = missingLio();
const EVERY_STEP_LIMIT_MS = 10 * 60_000;

if (missing !== null) {
  test('target lio', { skip: missing }, () => {});
} else {
  targetSuite('lio', {
    openBed: () => openLioBed('block'),
    initiator: missingInitiator() ?? true,
    lun: 0,
    portalGoesWithExport: true,
    initiatorAtEveryStep: false,
    everyStepLimitMs: EVERY_STEP_LIMIT_MS,
  });
  targetSuite('lio on plain files', {
    openBed: () => openLioBed('file'),
    initiator: 'initiators are tried with block devices',
    lun: 0,
    everyStepLimitMs: EVERY_STEP_LIMIT_MS,
  });
}
