/** What the contract's suite cannot make happen: commands killed at any moment, devices held open, a pool that fills. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { lvmDriver } from '../../../drivers/volume/lvm/index.ts';
import type { VolumeDriver } from '../../../src/driver/driver.ts';
import type { Executor } from '../../../src/driver/executor.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { maintain } from '../../support/fail-every-step.ts';
import { hasDeviceMapper, makeVolumeGroup, type TestVolumeGroup, whyNoLvm } from '../../support/lvm.ts';
import { openDriver, readBytes, writeBytes } from '../../support/volume-backend.ts';
import { newVolume } from '../../support/volume-driver-lane.ts';

const reason = await whyNoLvm();
const isReal = reason === null && (await hasDeviceMapper());
const needsKernel = { skip: isReal ? false : 'no device-mapper in this kernel' };
/** Where there are bytes to erase, a volume has another name by then. */
const removedAsNamed = { skip: isReal ? 'with bytes it is removed under a name that nobody else gets' : false };
const UNIT_GB = 1 / 32;
/** One extent of 64 KiB. */
const TINY_GB = 1 / 16384;
const MIB = 1024 ** 2;
const SOME = 1 * MIB;

describe('LVM under faults', { skip: reason ?? false, timeout: 40 * 60_000 }, () => {
  test('an lvm command killed at any moment leaves nothing that a second try does not mend', async (t) => {
    const group = await groupFor(t, 4);
    for (const program of ['lvcreate', 'vgchange', 'lvremove']) {
      for (const afterMs of isReal ? [50, 100, 200, 300] : [5, 20, 40]) {
        const driver = await openOn(group, 'default', {}, killOnce(program, afterMs));
        const volume = newVolume(UNIT_GB);
        await untilDone(() => driver.createVolume(volume));
        assert.deepEqual(
          (await driver.list()).map(({ name }) => name),
          [volume.name],
        );
        await untilDone(() => driver.deleteVolume(volume));
        assert.deepEqual(await driver.list(), []);
        await untilDone(() => maintain(driver));
        assert.equal((await driver.stats()).pools[0]!.provisionedGb, 0, `${program} killed after ${afterMs} ms`);
      }
    }
  });

  test('a metadata area that fills is refused in time, and can be emptied', async (t) => {
    const group = await groupFor(t, 1, [
      ...['--metadatasize', '32k', '--dataalignment', '64k', '--physicalextentsize', '64k'],
    ]);
    const driver = await openOn(group, 'default');
    const volumes = [newVolume(TINY_GB), newVolume(TINY_GB)];
    for (const volume of volumes) await driver.createVolume(volume);
    // Some 28 KiB are there; long tags of somebody else's take them sooner than volumes would.
    const tags = Array.from({ length: 24 }, (_, number) => `filler-${number}-${'x'.repeat(900)}`);
    await group.lvm('vgchange', ...tags.flatMap((tag) => ['--addtag', tag]), group.name);
    const isRefusal = (error: unknown) => isFailure(error, 'BackendRefuses') && /metadata area/.test(error.message);
    const [pool] = (await driver.stats()).pools;
    assert.deepEqual(pool!.free, { kind: 'known', gb: 0 });
    assert.match(String(pool!.extra.no_room_reason), /metadata area/);
    await assert.rejects(driver.createVolume(newVolume(TINY_GB)), isRefusal);
    await assert.rejects(driver.extendVolume(volumes[0]!, 2 * TINY_GB), isRefusal);
    for (const volume of volumes) await driver.deleteVolume(volume);
    await maintain(driver);
    assert.deepEqual(await driver.list(), []);
    await group.lvm('vgchange', ...tags.flatMap((tag) => ['--deltag', tag]), group.name);
    assert.equal((await driver.stats()).pools[0]!.extra.no_room_reason, undefined);
    await driver.createVolume(newVolume(TINY_GB));
  });

  test('an idle minute, which is a report of capabilities and a look for maintenance, is one lvm command', async (t) => {
    const group = await groupFor(t, 2);
    const { around, programs } = recordCommands();
    const driver = await openOn(group, 'default', {}, around);
    await driver.createVolume(newVolume(UNIT_GB));
    await driver.stats();
    programs.length = 0;
    await driver.stats();
    await maintain(driver);
    assert.deepEqual(programs, ['lvm']);
  });

  test('twenty volumes cost a command each to make, and all together two turns to delete', async (t) => {
    const group = await groupFor(t, 24);
    const { around, programs } = recordCommands();
    const driver = await openOn(group, isReal ? 'thin' : 'default', {}, around);
    const volumes = Array.from({ length: 20 }, () => newVolume(UNIT_GB / 4));
    await driver.stats();
    programs.length = 0;
    await Promise.all(volumes.map((volume) => driver.createVolume(volume)));
    assert.deepEqual(
      programs,
      volumes.map(() => 'lvcreate'),
    );
    programs.length = 0;
    await Promise.all(volumes.map((volume) => driver.deleteVolume(volume)));
    // The first goes at once, by itself; the rest gathers meanwhile.
    assert.deepEqual(programs, ['lvm', 'vgchange', 'lvm', 'vgchange']);
    assert.deepEqual(await driver.list(), []);
    await maintain(driver);
    assert.doesNotMatch(await group.lvm('lvs', group.name), /volume-/);
    assert.doesNotMatch(await group.lvm('vgs', '--options', 'vg_tags', group.name), /deleted/, 'no mark is left');
  });

  test('a name is free as soon as its volume is deleted, and the new one survives what comes of the old', async (t) => {
    const group = await groupFor(t, 4);
    const driver = await openOn(group, 'default');
    const volume = newVolume(UNIT_GB);
    await driver.createVolume(volume);
    await driver.deleteVolume(volume);
    await driver.createVolume(volume);
    await driver.deleteVolume(volume);
    await driver.createVolume(volume);
    assert.equal((await driver.list()).length, 1);
    await maintain(driver);
    assert.equal((await driver.list()).length, 1);
    assert.equal((await driver.stats()).pools[0]!.provisionedGb, Math.floor(UNIT_GB * 1000) / 1000);
  });

  test('the wiper removes what it has looked at, never what has got the name since', removedAsNamed, async (t) => {
    const group = await groupFor(t, 4);
    const volume = newVolume(UNIT_GB);
    const make = ['--yes', '--activate', 'n', '--zero', 'n', '--wipesignatures', 'n', '--addtag', 'ashlar'] as const;
    let isArmed = true;
    const swap = (executor: Executor): Executor => ({
      ...executor,
      async run(command) {
        const name = command.argv.at(-1)!.split('/')[1]!;
        if (isArmed && command.argv[0] === 'lvremove') {
          isArmed = false;
          await group.lvm('lvrename', group.name, name, `deleted-${name}.7`);
          await group.lvm('lvcreate', ...make, '--size', '4m', '--name', name, group.name);
        }
        return await executor.run(command);
      },
    });
    const driver = await openOn(group, 'default', {}, swap);
    await driver.createVolume(volume);
    await driver.deleteVolume(volume);
    await maintain(driver);
    const names = await group.lvm('lvs', '--noheadings', '--options', 'lv_name', group.name);
    const left = names.split('\n').map((line) => line.trim());
    assert.equal(left.filter((name) => name.endsWith(volume.name)).length, 1, names);
    assert.doesNotMatch(names, /deleted/);
  });

  test('what an older version has deleted, by its name, is removed as well', async (t) => {
    const group = await groupFor(t, 4);
    const driver = await openOn(group, 'default');
    const volume = newVolume(UNIT_GB);
    await driver.createVolume(volume);
    await group.lvm('lvrename', group.name, volume.name, `deleted-${volume.name}`);
    assert.deepEqual(await driver.list(), []);
    await maintain(driver);
    assert.doesNotMatch(await group.lvm('lvs', group.name), /volume-/);
  });

  test('an open device is not deleted; opened afterwards, it stays until it is closed', needsKernel, async (t) => {
    const group = await groupFor(t, 4);
    const driver = await openOn(group, 'default');
    const volume = newVolume(UNIT_GB);
    await driver.createVolume(volume);
    const held = await open(await driver.devicePath(volume), 'r');
    await assert.rejects(driver.deleteVolume(volume), (error) => isFailure(error, 'VolumeIsBusy'));
    assert.equal((await driver.list()).length, 1);
    await held.close();
    await driver.deleteVolume(volume);
    const late = await open(`/dev/${group.name}/${volume.name}`, 'r');
    await maintain(driver);
    assert.notEqual((await driver.stats()).pools[0]!.provisionedGb, 0, 'it is open, and so not free');
    await late.close();
    await maintain(driver);
    assert.equal((await driver.stats()).pools[0]!.provisionedGb, 0);
  });

  for (const clear of ['zero', 'none'] as const) {
    for (const isZero of [true, false]) {
      const where = isZero ? 'a group of zeros' : 'any group';
      test(
        `no old byte is seen in ${where} with volume_clear = ${clear}, wherever the wiper stops`,
        needsKernel,
        async (t) => {
          const group = await groupFor(t, 2);
          if (isZero) await group.lvm('vgchange', '--addtag', 'ashlar.free-space-is-zero', group.name);
          const values = { volume_clear: clear, volume_clear_bps_limit: 8 * MIB };
          let driver = await openOn(group, 'default', values);
          for (const stopAfterMs of [0, 400, 1500]) {
            // The whole group, so that the next one gets the same extents.
            const old = newVolume(2 * UNIT_GB);
            await driver.createVolume(old);
            await fillWith(await driver.devicePath(old), 2 * UNIT_GB, 0xaa);
            await driver.deleteVolume(old);
            await driver.maintain!(AbortSignal.timeout(stopAfterMs)).catch(() => {});
            driver = await openOn(group, 'default', values);
            await maintain(driver);
            const next = newVolume(2 * UNIT_GB);
            await driver.createVolume(next);
            await assertZero(await driver.devicePath(next), 2 * UNIT_GB);
            await driver.deleteVolume(next);
            await maintain(driver);
          }
        },
      );
    }
  }

  test(
    'a thin pool above its threshold takes nothing new, says so, and does again after a delete',
    needsKernel,
    async (t) => {
      const group = await groupFor(t, 4);
      const driver = await openOn(group, 'thin', { lvm_thin_data_threshold: 8 });
      const [volume, refused] = [newVolume(2 * UNIT_GB), newVolume(UNIT_GB)];
      await driver.createVolume(volume);
      await fillWith(await driver.devicePath(volume), 2 * UNIT_GB, 0xbb);
      const isRefusal = (error: unknown) =>
        isFailure(error, 'BackendRefuses') && /lvm_thin_data_threshold/.test(error.message);
      await driver.stats();
      await assert.rejects(driver.createVolume(refused), isRefusal);
      await assert.rejects(driver.extendVolume(volume, 3 * UNIT_GB), isRefusal);
      assert.deepEqual((await driver.stats()).pools[0]!.free, { kind: 'known', gb: 0 });
      await driver.deleteVolume(volume);
      await maintain(driver);
      await driver.createVolume(refused);
      await assertZero(await driver.devicePath(refused), UNIT_GB);
    },
  );
});

async function groupFor(t: TestContext, units: number, options: readonly string[] = []): Promise<TestVolumeGroup> {
  const group = await makeVolumeGroup(units * UNIT_GB, isReal, options);
  t.after(group.close);
  return group;
}

function openOn(
  group: TestVolumeGroup,
  type: string,
  values: Readonly<Record<string, unknown>> = {},
  around?: (executor: Executor) => Executor,
): Promise<VolumeDriver> {
  const all = {
    volume_group: group.name,
    lvm_type: type,
    lvm_conf_file: group.configFile,
    lvm_suppress_fd_warnings: true,
    lvm_metadata_only: !isReal,
    ...values,
  };
  return openDriver(lvmDriver, all, around);
}

/** The programs that a driver runs, in order, without the flushes of the group's disks after each change. */
function recordCommands(): { readonly programs: string[]; readonly around: (executor: Executor) => Executor } {
  const programs: string[] = [];
  return {
    programs,
    around: (executor) => ({
      ...executor,
      run(command) {
        if (command.argv[0] !== 'sync') programs.push(command.argv[0]);
        return executor.run(command);
      },
    }),
  };
}

/** Kills the program's first run after some time; where it was faster, nothing happens. */
function killOnce(program: string, afterMs: number): (executor: Executor) => Executor {
  let isArmed = true;
  return (executor) => ({
    ...executor,
    run(command) {
      if (!isArmed || command.argv[0] !== program) return executor.run(command);
      isArmed = false;
      return executor.run({ ...command, timeoutMs: afterMs });
    },
  });
}

/** As the service does: an operation that failed is done again. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  await work().catch(async () => {
    await work();
  });
}

async function fillWith(path: string, sizeGb: number, fill: number): Promise<void> {
  for (let at = 0; at < sizeGb * 1024 * MIB; at += 4 * SOME) await writeBytes(path, at, Buffer.alloc(SOME, fill));
}

async function assertZero(path: string, sizeGb: number): Promise<void> {
  for (let at = 0; at < sizeGb * 1024 * MIB; at += 4 * SOME) {
    assert.ok((await readBytes(path, at, SOME)).equals(Buffer.alloc(SOME)), `old bytes at ${at}`);
  }
}
