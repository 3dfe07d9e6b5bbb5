import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeDriver } from '../../../drivers/volume/fake.ts';
import { volumeDriverSuite } from '../../suites/volume-driver.ts';
import { openDriver } from '../../support/volume-backend.ts';

volumeDriverSuite('fake', {
  capacityGb: { fits: 8, tooMuch: 11 },
  capabilities: { copies: true, bytes: 'nothing is behind a fake volume', foreign: 'all in a fake backend is ours' },
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'ashlar-fake-'));
    const values = { fake_capacity_gb: 10, fake_state_file: join(directory, 'state.json') };
    return {
      driver: await openDriver(fakeDriver, values),
      reopen: () => openDriver(fakeDriver, values),
      close: () => rm(directory, { recursive: true }),
    };
  },
});
