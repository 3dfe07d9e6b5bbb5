import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileDriver } from '../../../drivers/volume/file/index.ts';
import { volumeDriverSuite } from '../../suites/volume-driver.ts';
import { openDriver, readBytes, writeBytes } from '../../support/volume-backend.ts';

volumeDriverSuite('file', {
  capacityGb: { fits: 8, tooMuch: 11 },
  capabilities: { copies: true, bytes: true, foreign: true },
  readBytes,
  writeBytes,
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'ashlar-file-'));
    const values = { file_volumes_dir: join(directory, 'volumes'), file_capacity_gb: 10 };
    return {
      driver: await openDriver(fileDriver, values),
      reopen: () => openDriver(fileDriver, values),
      async makeForeign() {
        const path = join(values.file_volumes_dir, 'volumes', 'notes.txt');
        await writeFile(path, 'ours');
        return async () => (await readFile(path, 'utf8')) === 'ours';
      },
      close: () => rm(directory, { recursive: true }),
    };
  },
});
