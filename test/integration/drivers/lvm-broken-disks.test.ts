/** LVM on disks that fail, stand still or are full: each call ends, says why, and succeeds when it is done again later. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { lvmDriver } from '../../../drivers/volume/lvm/index.ts';
import type { VolumeDriver } from '../../../src/driver/driver.ts';
import type { Executor } from '../../../src/driver/executor.ts';
import { isFailure, messageOf } from '../../../src/model/errors.ts';
import { type BreakableDisk, breakable, breakableOver } from '../../support/breakable-disk.ts';
import { maintain } from '../../support/fail-every-step.ts';
import { hasDeviceMapper, makeVolumeGroup, type TestVolumeGroup, whyNoLvm } from '../../support/lvm.ts';
import { openDriver, readBytes, writeBytes } from '../../support/volume-backend.ts';
import { newVolume, snapshotOf } from '../../support/volume-driver-lane.ts';

const reason = await whyNoLvm();
const skip = reason ?? ((await hasDeviceMapper()) ? false : 'no device-mapper in this kernel');
const UNIT_GB = 1 / 32;
const MIB = 1024 ** 2;
const UNIT_MIB = 32;
/** What stands for the two minutes of the driver's own commands. */
const SHORT_DEADLINE_MS = 4_000;

describe('LVM on disks that break', { skip, timeout: 40 * 60_000 }, () => {
  for (const type of ['default', 'thin']) {
    test(`a disk that fails (${type}): every change says so; afterwards it goes on, nothing twice, no byte lost`, async (t) => {
      const { group, disk } = await groupOnBreakable(t, 8);
      const driver = await openOn(group, type);
      const [kept, made, gone] = [newVolume(UNIT_GB), newVolume(UNIT_GB), newVolume(UNIT_GB)];
      for (const volume of [kept, gone]) await driver.createVolume(volume);
      const bytes = Buffer.alloc(MIB, 0x5a);
      await writeBytes(await driver.devicePath(kept), 4 * MIB, bytes);
      const snapshot = snapshotOf(kept);
      const changes = [
        () => driver.createVolume(made),
        () => driver.extendVolume(kept, 2 * UNIT_GB),
        () => driver.createSnapshot(snapshot),
        () => driver.deleteVolume(gone),
      ];
      await disk.fail();
      try {
        for (const change of changes) await assert.rejects(change(), saysUnreadable);
        await assert.rejects(driver.stats(), saysUnreadable);
      } finally {
        await disk.heal();
      }
      for (const change of changes) await change();
      const names = (await driver.list()).map(({ name }) => name).sort();
      assert.deepEqual(names, [kept.name, made.name, snapshot.name].sort());
      assert.ok((await readBytes(await driver.devicePath(kept), 4 * MIB, MIB)).equals(bytes));
      await driver.deleteSnapshot(snapshot);
      await isEmptied(driver, [kept, made]);
    });
  }

  test('a volume whose device fails while it is erased is not given away, and is erased later', async (t) => {
    const group = await groupFor(t, 3);
    const driver = await openOn(group, 'default');
    const volume = newVolume(2 * UNIT_GB);
    await driver.createVolume(volume);
    await writeBytes(await driver.devicePath(volume), 0, Buffer.alloc(MIB, 0xaa));
    await driver.deleteVolume(volume);
    const paths = await group.lvm('lvs', '--noheadings', '--options', 'lv_dm_path', group.name);
    const device = await breakable(paths.split(/\s+/).find((path) => path.includes(volume.id.slice(-12)))!);
    await device.fail();
    try {
      await assert.rejects(maintain(driver), (error) => /input\/output error|blkdiscard|dd/i.test(messageOf(error)));
      assert.notEqual((await driver.stats()).pools[0]!.provisionedGb, 0, 'its space is not free');
      await assert.rejects(driver.createVolume(newVolume(2 * UNIT_GB)), (error) => isFailure(error, 'BackendFull'));
    } finally {
      await device.heal();
    }
    await maintain(driver);
    const next = newVolume(2 * UNIT_GB);
    await driver.createVolume(next);
    assert.ok((await readBytes(await driver.devicePath(next), 0, MIB)).equals(Buffer.alloc(MIB)), 'old bytes');
    await isEmptied(driver, [next]);
  });

  test('a disk that stands still: the command is given up at its deadline, and a retry succeeds', async (t) => {
    const { group, disk } = await groupOnBreakable(t, 4);
    const hurried = hurry();
    const driver = await openOn(group, 'default', {}, hurried.around);
    const [kept, volume] = [newVolume(UNIT_GB), newVolume(UNIT_GB)];
    await driver.createVolume(kept);
    hurried.on();
    await disk.suspend();
    try {
      for (const call of [() => driver.createVolume(volume), () => driver.stats(), () => driver.deleteVolume(kept)]) {
        await assert.rejects(call(), (error) => /deadline/.test(messageOf(error)) && /lvm|lv/.test(messageOf(error)));
      }
    } finally {
      await disk.heal();
    }
    hurried.off();
    await driver.createVolume(volume);
    assert.deepEqual((await driver.list()).map(({ name }) => name).sort(), [kept.name, volume.name].sort());
    await isEmptied(driver, [kept, volume]);
  });

  test('a full thin pool: writers get errors, nothing new is taken; after a delete it goes on', async (t) => {
    const group = await groupFor(t, 4);
    const driver = await openOn(group, 'thin', { lvm_thin_data_threshold: 100 });
    await group.lvm('lvchange', '--errorwhenfull', 'y', `${group.name}/${group.name}-pool`);
    const [greedy, other] = [newVolume(8 * UNIT_GB), newVolume(UNIT_GB)];
    await driver.createVolume(greedy);
    await driver.createVolume(other);
    await writeBytes(await driver.devicePath(other), 0, Buffer.alloc(MIB, 0x11));
    await assert.rejects(fill(await driver.devicePath(greedy), 8 * UNIT_MIB), /ENOSPC|EIO|no space|i\/o/i);
    const [pool] = (await driver.stats()).pools;
    assert.deepEqual(pool!.free, { kind: 'known', gb: 0 });
    assert.match(String(pool!.extra.no_room_reason), /lvm_thin_data_threshold/);
    for (const call of [
      () => driver.createVolume(newVolume(UNIT_GB)),
      () => driver.createSnapshot(snapshotOf(other)),
      () => driver.extendVolume(other, 2 * UNIT_GB),
    ]) {
      await assert.rejects(call(), (error) => isFailure(error, 'BackendRefuses'));
    }
    assert.ok((await readBytes(await driver.devicePath(other), 0, MIB)).equals(Buffer.alloc(MIB, 0x11)));
    await driver.deleteVolume(greedy);
    await maintain(driver);
    const next = newVolume(UNIT_GB);
    await driver.createVolume(next);
    assert.ok((await readBytes(await driver.devicePath(next), 0, 4 * MIB)).equals(Buffer.alloc(4 * MIB)), 'old bytes');
    await writeBytes(await driver.devicePath(next), 0, Buffer.alloc(4 * MIB, 0x22));
    assert.ok((await readBytes(await driver.devicePath(other), 0, MIB)).equals(Buffer.alloc(MIB, 0x11)));
    await isEmptied(driver, [other, next]);
  });

  test('a full group: snapshots and clones are refused with its figures, and nothing of them stays', async (t) => {
    const group = await groupFor(t, 4);
    const driver = await openOn(group, 'default');
    const volume = newVolume(3 * UNIT_GB);
    await driver.createVolume(volume);
    const before = await group.lvm('lvs', '--noheadings', '--options', 'lv_name,lv_tags', group.name);
    const [snapshot, clone] = [snapshotOf(volume), newVolume(3 * UNIT_GB)];
    const isFull = (error: unknown) => isFailure(error, 'BackendFull');
    await assert.rejects(driver.createSnapshot(snapshot), isFull);
    await assert.rejects(driver.createClonedVolume(clone, volume), isFull);
    await assert.rejects(driver.extendVolume(volume, 5 * UNIT_GB), isFull);
    await driver.deleteVolume(clone);
    await maintain(driver);
    const after = await group.lvm('lvs', '--noheadings', '--options', 'lv_name,lv_tags', group.name);
    assert.equal(after.replace(/,?ashlar\.growing-from\.\d+/, ''), before);
    await isEmptied(driver, [volume]);
    await driver.createVolume(clone);
  });
});

function saysUnreadable(error: unknown): boolean {
  const text = messageOf(error);
  assert.doesNotMatch(text, /vgcreate/, 'on a disk that fails, making a new group would be the end of it');
  return /cannot be read|input\/output error/i.test(text);
}

async function isEmptied(driver: VolumeDriver, volumes: Parameters<VolumeDriver['deleteVolume']>[0][]): Promise<void> {
  for (const volume of volumes) await driver.deleteVolume(volume);
  await maintain(driver);
  assert.deepEqual(await driver.list(), []);
  assert.equal((await driver.stats()).pools[0]!.provisionedGb, 0);
}

async function fill(path: string, mib: number): Promise<void> {
  for (let at = 0; at < mib; at += 4) await writeBytes(path, at * MIB, Buffer.alloc(4 * MIB, 0xee));
}

async function groupFor(t: TestContext, units: number): Promise<TestVolumeGroup> {
  const group = await makeVolumeGroup(units * UNIT_GB, true);
  t.after(group.close);
  return group;
}

async function groupOnBreakable(t: TestContext, units: number) {
  let disk: BreakableDisk | null = null;
  const group = await makeVolumeGroup(units * UNIT_GB, true, [], async (loop) => {
    disk = await breakableOver(loop, `breakable-${process.pid}-${loop.slice('/dev/'.length)}`);
    return disk;
  });
  t.after(group.close);
  return { group, disk: disk! as BreakableDisk };
}

function openOn(
  group: TestVolumeGroup,
  type: string,
  values: Readonly<Record<string, unknown>> = {},
  around?: (executor: Executor) => Executor,
): Promise<VolumeDriver> {
  const own = {
    volume_group: group.name,
    lvm_type: type,
    lvm_conf_file: group.configFile,
    lvm_suppress_fd_warnings: true,
  };
  return openDriver(lvmDriver, { ...own, ...values }, around);
}

/** Once it is switched on, lvm's commands have a short deadline. */
function hurry(): { around(executor: Executor): Executor; on(): void; off(): void } {
  let isOn = false;
  return {
    around: (executor) => ({
      ...executor,
      run: (command) => executor.run(isOn ? { ...command, timeoutMs: SHORT_DEADLINE_MS } : command),
    }),
    on: () => {
      isOn = true;
    },
    off: () => {
      isOn = false;
    },
  };
}
