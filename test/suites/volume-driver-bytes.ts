import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipUnless, snapshotOf, toolsOf, type VolumeDriverLane } from '../support/volume-driver-lane.ts';

/** The obligations about bytes: zeros in what is new, the source's bytes in copies, independence afterwards. */
export function bytesOfVolumes(lane: VolumeDriverLane): void {
  const bytes = skipUnless(lane.capabilities.bytes);
  const reverts = skipUnless(
    lane.capabilities.reverts ?? 'this driver cannot revert',
    lane.capabilities.copies,
    lane.capabilities.bytes,
  );
  const copiedBytes = skipUnless(lane.capabilities.copies, lane.capabilities.bytes);
  const { write, assertFilled, withBackend, newVolume, behind, unitGb } = toolsOf(lane);

  test(
    'a new volume reads as zeros, whatever was there before',
    bytes,
    withBackend(async (driver) => {
      const [old, neighbour, next] = [newVolume(1), newVolume(1), newVolume(1)];
      await driver.createVolume(neighbour);
      await driver.createVolume(old);
      await write(driver, old, 0xaa);
      await write(driver, neighbour, 0xbb);
      await driver.deleteVolume(old);
      await driver.createVolume(next);
      await assertFilled(driver, next, 0);
      await driver.deleteVolume(next);
      await driver.extendVolume(neighbour, 2 * unitGb);
      await assertFilled(driver, neighbour, 0xbb);
      await assertFilled(driver, neighbour, 0, behind);
    }),
  );

  test(
    'a snapshot holds the bytes of its moment, and what is made from it is independent',
    copiedBytes,
    withBackend(async (driver) => {
      const volume = newVolume(1);
      const snapshot = snapshotOf(volume);
      const [small, large] = [newVolume(1), newVolume(2)];
      await driver.createVolume(volume);
      await write(driver, volume, 0x11);
      await driver.createSnapshot(snapshot);
      await write(driver, volume, 0x22);
      await driver.createVolumeFromSnapshot(small, snapshot);
      await driver.createVolumeFromSnapshot(large, snapshot);
      await assertFilled(driver, small, 0x11);
      await assertFilled(driver, large, 0x11);
      await assertFilled(driver, large, 0, behind);
      await write(driver, small, 0x33);
      await assertFilled(driver, volume, 0x22);
      await assertFilled(driver, large, 0x11);
      // Redone, it does not take the newer bytes.
      await driver.createSnapshot(snapshot);
      const again = newVolume(1);
      await driver.createVolumeFromSnapshot(again, snapshot);
      await assertFilled(driver, again, 0x11);
      await driver.deleteSnapshot(snapshot);
      await assertFilled(driver, large, 0x11);
    }),
  );

  test(
    'a clone holds the bytes of its moment and is independent, in both directions',
    copiedBytes,
    withBackend(async (driver) => {
      const [source, clone] = [newVolume(1), newVolume(2)];
      await driver.createVolume(source);
      await write(driver, source, 0x44);
      await driver.createClonedVolume(clone, source);
      await assertFilled(driver, clone, 0x44);
      await assertFilled(driver, clone, 0, behind);
      await write(driver, source, 0x55);
      await assertFilled(driver, clone, 0x44);
      await write(driver, clone, 0x66);
      await assertFilled(driver, source, 0x55);
      // Redone, a whole clone stays as it is.
      await driver.createClonedVolume(clone, source);
      await assertFilled(driver, clone, 0x66);
      await driver.deleteVolume(source);
      await assertFilled(driver, clone, 0x66);
    }),
  );

  test(
    'a revert brings the snapshot’s bytes back, more than once, and the snapshot stays',
    reverts,
    withBackend(async (driver) => {
      const volume = newVolume(1);
      const [first, second] = [snapshotOf(volume), snapshotOf(volume)];
      await driver.createVolume(volume);
      await write(driver, volume, 0x11);
      await driver.createSnapshot(first);
      await write(driver, volume, 0x22);
      await driver.createSnapshot(second);
      await write(driver, volume, 0x33);
      for (const [snapshot, fill] of [
        [second, 0x22],
        [second, 0x22],
        [first, 0x11],
        [second, 0x22],
      ] as const) {
        await driver.revertToSnapshot!(volume, snapshot);
        await assertFilled(driver, volume, fill);
        await write(driver, volume, 0x44);
      }
      assert.equal((await driver.list()).length, 3);
      await driver.deleteSnapshot(second);
      await driver.deleteSnapshot(first);
      await assertFilled(driver, volume, 0x44);
    }),
  );

  test(
    'extending keeps the bytes',
    bytes,
    withBackend(async (driver) => {
      const volume = newVolume(1);
      await driver.createVolume(volume);
      await write(driver, volume, 0x77);
      await driver.extendVolume(volume, 2 * unitGb);
      await assertFilled(driver, volume, 0x77);
      await assertFilled(driver, volume, 0, behind);
    }),
  );
}
