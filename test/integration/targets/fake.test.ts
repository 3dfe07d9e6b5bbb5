import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeTarget } from '../../../drivers/target/fake.ts';
import { targetSuite } from '../../suites/target.ts';
import { openTarget } from '../../support/open-target.ts';
import { recorderLog } from '../../support/recorder-log.ts';

targetSuite('fake', {
  initiator: 'nobody can log in to a fake target',
  async openBed() {
    const directory = await mkdtemp(join(tmpdir(), 'ashlar-fake-target-'));
    const values = { target_ip_address: '127.0.0.1', fake_target_state_file: join(directory, 'state.json') };
    const log = recorderLog();
    const open = () => openTarget(fakeTarget, values, log);
    return {
      open,
      makeDevice: async () => join(directory, 'no-device'),
      state: async () => (await open()).list(),
      log,
      close: () => rm(directory, { recursive: true }),
    };
  },
});
