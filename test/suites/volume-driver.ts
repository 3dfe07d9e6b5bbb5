/** The obligations of src/driver/driver.ts as tests: every driver runs them, test/integration/drivers/*.test.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { VolumeDriver } from '../../src/driver/driver.ts';
import { isFailure } from '../../src/model/errors.ts';
import { failEveryStep, maintain } from '../support/fail-every-step.ts';
import { skipUnless, snapshotOf, toolsOf, type VolumeDriverLane } from '../support/volume-driver-lane.ts';
import { bytesOfVolumes } from './volume-driver-bytes.ts';

export function volumeDriverSuite(name: string, lane: VolumeDriverLane): void {
  const copies = skipUnless(lane.capabilities.copies);
  const { capacityGb } = lane;
  const [limited, { fits, tooMuch }] =
    typeof capacityGb === 'string' ? [skipUnless(capacityGb), { fits: 0, tooMuch: 0 }] : [{}, capacityGb];
  const foreign = skipUnless(lane.capabilities.foreign);
  const { write, assertFilled, withBackend, newVolume, unitGb, unitBytes } = toolsOf(lane);
  const steps = {
    withBytes: lane.capabilities.bytes === true,
    readers: lane.readers ?? [],
    write,
    assertFilled,
    unitGb,
  };

  describe(`volume driver ${name}`, { timeout: lane.timeoutMs ?? 600_000 }, () => {
    test(
      'set-up twice changes nothing',
      withBackend(async (driver) => {
        const volume = newVolume(1);
        await driver.createVolume(volume);
        await driver.setUp();
        assert.deepEqual(await names(driver), [volume.name]);
      }),
    );

    test(
      'create, extend, delete: each twice, with the same end',
      withBackend(async (driver) => {
        const volume = newVolume(1);
        await twice(() => driver.createVolume(volume));
        assert.deepEqual(await driver.list(), [{ name: volume.name, kind: 'volume', sizeBytes: unitBytes }]);
        await twice(() => driver.extendVolume(volume, 2 * unitGb));
        assert.deepEqual(await driver.list(), [{ name: volume.name, kind: 'volume', sizeBytes: 2 * unitBytes }]);
        await driver.extendVolume(volume, unitGb);
        assert.deepEqual(await driver.list(), [{ name: volume.name, kind: 'volume', sizeBytes: 2 * unitBytes }]);
        await twice(() => driver.deleteVolume(volume));
        assert.deepEqual(await driver.list(), []);
      }),
    );

    test(
      'snapshot, volume from it, clone: each twice, with the same end',
      copies,
      withBackend(async (driver) => {
        const volume = newVolume(1);
        const snapshot = snapshotOf(volume);
        const restored = newVolume(1);
        const clone = newVolume(2);
        await driver.createVolume(volume);
        await twice(() => driver.createSnapshot(snapshot));
        await twice(() => driver.createVolumeFromSnapshot(restored, snapshot));
        await twice(() => driver.createClonedVolume(clone, volume));
        const sizes = new Map((await driver.list()).map((object) => [object.name, [object.kind, object.sizeBytes]]));
        assert.deepEqual(sizes.get(volume.name), ['volume', unitBytes]);
        assert.deepEqual(sizes.get(snapshot.name), ['snapshot', unitBytes]);
        assert.deepEqual(sizes.get(restored.name), ['volume', unitBytes]);
        assert.deepEqual(sizes.get(clone.name), ['volume', 2 * unitBytes]);
        assert.equal(sizes.size, 4);
        await twice(() => driver.deleteSnapshot(snapshot));
        for (const each of [volume, restored, clone]) await twice(() => driver.deleteVolume(each));
        assert.deepEqual(await driver.list(), []);
      }),
    );

    test(
      'deleting what was never there succeeds',
      withBackend(async (driver) => {
        const volume = newVolume(1);
        await driver.deleteVolume(volume);
        await driver.deleteSnapshot(snapshotOf(volume));
      }),
    );

    test(
      'what is not there is told by its id',
      withBackend(async (driver) => {
        const missing = newVolume(1);
        const expect = (code: 'VolumeNotFound' | 'SnapshotNotFound', id: string) => (error: unknown) =>
          isFailure(error, code) && error.message.includes(id);
        const snapshot = snapshotOf(missing);
        await assert.rejects(driver.extendVolume(missing, 2 * unitGb), expect('VolumeNotFound', missing.id));
        await assert.rejects(driver.devicePath(missing), expect('VolumeNotFound', missing.id));
        await assert.rejects(driver.createSnapshot(snapshot), expect('VolumeNotFound', missing.id));
        await assert.rejects(driver.createClonedVolume(newVolume(1), missing), expect('VolumeNotFound', missing.id));
        await assert.rejects(
          driver.createVolumeFromSnapshot(newVolume(1), snapshot),
          expect('SnapshotNotFound', snapshot.id),
        );
        assert.equal(await driver.poolOf(missing), null);
        assert.deepEqual(await driver.list(), []);
      }),
    );

    test(
      'a restart finds everything again',
      withBackend(async (driver, backend) => {
        const volume = newVolume(1);
        await driver.createVolume(volume);
        const before = await driver.list();
        const next = await backend.reopen();
        assert.deepEqual(await next.list(), before);
        assert.equal(await next.poolOf(volume), (await next.stats()).pools[0]!.name);
        await next.createVolume(volume);
        await next.deleteVolume(volume);
        assert.deepEqual(await next.list(), []);
      }),
    );

    test(
      'different volumes at the same time',
      withBackend(async (driver) => {
        const volumes = Array.from({ length: 4 }, () => newVolume(1));
        await Promise.all(volumes.map((volume) => driver.createVolume(volume)));
        assert.deepEqual(await names(driver), volumes.map((volume) => volume.name).sort());
        await Promise.all(
          volumes.map((volume, index) =>
            index % 2 === 0 ? driver.deleteVolume(volume) : driver.extendVolume(volume, 2 * unitGb),
          ),
        );
        assert.deepEqual(await names(driver), [volumes[1]!.name, volumes[3]!.name].sort());
        assert.ok((await driver.list()).every((object) => object.sizeBytes === 2 * unitBytes));
      }),
    );

    test(
      'the figures add up',
      withBackend(async (driver) => {
        const before = (await driver.stats()).pools[0]!;
        await driver.createVolume(newVolume(1));
        await driver.createVolume(newVolume(2));
        const after = (await driver.stats()).pools[0]!;
        const units = (gb: number) => Math.round((gb / unitGb) * 10) / 10;
        assert.equal(units(after.provisionedGb - before.provisionedGb), 3);
        assert.equal(after.totalVolumes - before.totalVolumes, 2);
        assert.ok(after.thinProvisioning !== after.thickProvisioning);
        assert.deepEqual(after.total, before.total);
        if (after.total.kind === 'known' && after.free.kind === 'known' && before.free.kind === 'known') {
          assert.ok(after.free.gb <= after.total.gb);
          if (after.thickProvisioning) assert.equal(units(before.free.gb - after.free.gb), 3);
        }
      }),
    );

    test(
      'a full backend says so and leaves nothing behind',
      limited,
      withBackend(async (driver) => {
        const tooLarge = newVolume(tooMuch);
        await assert.rejects(driver.createVolume(tooLarge), (error) => isFailure(error, 'BackendFull'));
        assert.deepEqual(await driver.list(), []);
        const volume = newVolume(fits);
        await driver.createVolume(volume);
        await assert.rejects(driver.extendVolume(volume, tooMuch * unitGb), (error) => isFailure(error, 'BackendFull'));
        assert.deepEqual(
          (await driver.list()).map((object) => object.sizeBytes),
          [fits * unitBytes],
        );
        await driver.deleteVolume(tooLarge);
      }),
    );

    test(
      'two that ask for the last place at once: one gets it',
      limited,
      withBackend(async (driver) => {
        const both = [newVolume(fits), newVolume(fits)];
        const results = await Promise.allSettled(both.map((volume) => driver.createVolume(volume)));
        assert.deepEqual(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
        assert.equal((await driver.list()).length, 1);
      }),
    );

    test(
      'what is not ours is neither listed nor touched',
      foreign,
      withBackend(async (driver, backend) => {
        const volume = newVolume(1);
        const isUntouched = await backend.makeForeign!(volume.name);
        assert.deepEqual(await driver.list(), []);
        // Whether it refuses or passes by is the driver's choice.
        await driver.createVolume(volume).catch(() => {});
        await driver.extendVolume(volume, 2 * unitGb).catch(() => {});
        await driver.deleteVolume(volume).catch(() => {});
        await driver.deleteSnapshot(snapshotOf(volume)).catch(() => {});
        assert.ok(await isUntouched(), 'it was touched');
        assert.deepEqual(await driver.list(), []);
      }),
    );

    test(
      'a name cannot leave the backend',
      withBackend(async (driver) => {
        for (const odd of ['../outside', '/etc/passwd', 'a/b', '..', '.', '', '-rf', 'line\nbreak', 'x'.repeat(300)]) {
          const volume = { ...newVolume(1), name: odd };
          await driver.createVolume(volume).catch(() => {});
          await driver.deleteVolume(volume).catch(() => {});
          assert.deepEqual(await driver.list(), [], `after ${JSON.stringify(odd)}`);
        }
      }),
    );

    bytesOfVolumes(lane);

    test(
      'what is deleted is gone at once; its space is free after maintenance at the latest, whenever that was cut off',
      withBackend(async (driver, backend) => {
        const freeGb = async () => {
          const { free } = (await driver.stats()).pools[0]!;
          return free.kind === 'known' ? free.gb : null;
        };
        const before = await freeGb();
        const volumes = [newVolume(1), newVolume(1), newVolume(2)];
        for (const volume of volumes) await driver.createVolume(volume);
        // Of the same name once more: the first may still wait for maintenance.
        await driver.deleteVolume(volumes[0]!);
        await driver.createVolume(volumes[0]!);
        for (const volume of volumes) await driver.deleteVolume(volume);
        assert.deepEqual(await driver.list(), []);
        assert.equal((await driver.stats()).pools[0]!.totalVolumes, 0);
        await driver.maintain?.(AbortSignal.abort());
        const next = await backend.reopen();
        await maintain(next);
        assert.equal((await next.maintain?.(AbortSignal.timeout(60_000))) ?? false, false, 'nothing is left to do');
        assert.equal((await next.stats()).pools[0]!.provisionedGb, 0);
        assert.equal(await freeGb(), before);
      }),
    );

    for (const method of ['createVolume', 'extendVolume', 'deleteVolume', 'maintain'] as const) {
      test(
        `${method} may fail at every step`,
        withBackend(async (driver, backend) => {
          if (method === 'maintain' && driver.maintain === undefined) return;
          await failEveryStep(backend, method, steps);
        }),
      );
    }
    test(
      'revertToSnapshot may fail at every step',
      skipUnless(lane.capabilities.reverts ?? 'this driver cannot revert', lane.capabilities.copies),
      withBackend((_, backend) => failEveryStep(backend, 'revertToSnapshot', steps)),
    );
    for (const method of [
      'createSnapshot',
      'deleteSnapshot',
      'createVolumeFromSnapshot',
      'createClonedVolume',
    ] as const) {
      test(
        `${method} may fail at every step`,
        copies,
        withBackend((_, backend) => failEveryStep(backend, method, steps)),
      );
    }
  });
}

async function names(driver: VolumeDriver): Promise<string[]> {
  return (await driver.list()).map((object) => object.name).sort();
}

async function twice(action: () => Promise<void>): Promise<void> {
  await action();
  await action();
}
