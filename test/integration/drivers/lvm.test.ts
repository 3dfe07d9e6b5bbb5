import { test } from 'node:test';
import { lvmDriver } from '../../../drivers/volume/lvm/index.ts';
import { volumeDriverSuite } from '../../suites/volume-driver.ts';
import { hasDeviceMapper, makeVolumeGroup, whyNoLvm } from '../../support/lvm.ts';
import { openDriver, readBytes, writeBytes } from '../../support/volume-backend.ts';

const reason = await whyNoLvm();
const isReal = reason === null && (await hasDeviceMapper());
/** With a device-mapper, copies take time: there the volumes are small. */
const UNIT_GB = isReal ? 1 / 32 : 1;

if (reason !== null) test('volume driver lvm', { skip: reason }, () => {});
else for (const type of isReal ? ['default', 'thin'] : ['default']) suite(type);

function suite(type: string): void {
  const capability = isReal ? true : 'no device-mapper in this kernel';
  volumeDriverSuite(`lvm (${type})`, {
    unitGb: UNIT_GB,
    timeoutMs: 40 * 60_000,
    capacityGb: type === 'thin' ? 'a thin pool takes any promise' : { fits: 8, tooMuch: 13 },
    capabilities: { copies: capability, bytes: capability, foreign: true, reverts: true },
    readers: ['lvm'],
    readBytes,
    writeBytes,
    async open() {
      const group = await makeVolumeGroup(12 * UNIT_GB, isReal);
      const values = {
        volume_group: group.name,
        lvm_type: type,
        lvm_conf_file: group.configFile,
        lvm_suppress_fd_warnings: true,
        lvm_metadata_only: !isReal,
      };
      return {
        driver: await openDriver(lvmDriver, values),
        reopen: () => openDriver(lvmDriver, values),
        async makeForeign(name) {
          const show = () => group.lvm('lvs', '--noheadings', '--options', 'name,size,uuid', `${group.name}/${name}`);
          await group.lvm(
            'lvcreate',
            '--yes',
            '--zero',
            'n',
            '--wipesignatures',
            'n',
            '--name',
            name,
            '--size',
            '4m',
            group.name,
          );
          const before = await show();
          return async () => (await show()) === before;
        },
        close: group.close,
      };
    },
  });
}
