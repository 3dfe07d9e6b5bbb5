import { targetSuite } from '../../suites/target.ts';
import { missingInitiator } from '../../support/initiator.ts';
import { openTgtBed } from '../../support/tgt-bed.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const missing = missingTgtd();
if (missing !== null) throw new Error(`The tests of the target tgt need a tgtd, and ${missing}.`);

const initiator = missingInitiator() ?? true;
targetSuite('tgt', { initiator, openBed: () => openTgtBed() });
targetSuite('tgt by name', { initiator, openBed: () => openTgtBed({ tgt_initiator_acl: true }) });
