import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { deletedName, isDeletedName, lvName } from '../../../../../drivers/volume/lvm/names.ts';
import { type LogicalVolume, parseView } from '../../../../../drivers/volume/lvm/report.ts';
import { bytesToErase, removable } from '../../../../../drivers/volume/lvm/wiper.ts';

const [any] = parseView(
  readFileSync(new URL('../../../../fixtures/lvm/report-linear.json', import.meta.url), { encoding: 'utf8' }),
).volumes;
const lv = (changes: Partial<LogicalVolume>): LogicalVolume => ({
  ...any!,
  name: 'deleted-volume-a',
  isDeleted: true,
  tags: new Set(['ashlar']),
  ...changes,
});
const namesOf = (volumes: readonly LogicalVolume[]) => removable(volumes).map(({ name }) => name);

test('removed is what was deleted and is ours, not open, and nobody’s origin', () => {
  assert.deepEqual(namesOf([lv({})]), ['deleted-volume-a']);
  assert.deepEqual(namesOf([lv({ tags: new Set() })]), []);
  assert.deepEqual(namesOf([lv({ name: 'volume-a' })]), ['volume-a']);
  assert.deepEqual(namesOf([lv({ isDeleted: false })]), []);
  assert.deepEqual(namesOf([lv({ isOpen: true })]), []);
  // lvremove of an origin takes its copy-on-write snapshots with it; a thin snapshot stands by itself.
  assert.deepEqual(namesOf([lv({}), lv({ name: '_snapshot-b', isDeleted: false, origin: 'deleted-volume-a' })]), []);
  const thin = lv({ name: '_snapshot-b', isDeleted: false, origin: 'deleted-volume-a', pool: 'vg-pool' });
  assert.deepEqual(namesOf([lv({ pool: 'vg-pool' }), thin]), ['deleted-volume-a']);
});

test('how much is erased: all, the start, nothing; of a thin volume nothing', () => {
  const size = 10 * 1024 ** 2;
  const volume = lv({ sizeBytes: size });
  assert.equal(bytesToErase(volume, { method: 'zero', sizeMib: 0 }), size);
  assert.equal(bytesToErase(volume, { method: 'zero', sizeMib: 3 }), 3 * 1024 ** 2);
  assert.equal(bytesToErase(volume, { method: 'zero', sizeMib: 30 }), size);
  assert.equal(bytesToErase(volume, { method: 'none', sizeMib: 0 }), 0);
  assert.equal(bytesToErase({ ...volume, pool: 'vg-pool' }, { method: 'zero', sizeMib: 0 }), 0);
});

test('a deleted name is free, is told from all others, and cannot be asked for', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(20), (id, count) => {
      const taken = new Set<string>();
      for (let made = 0; made <= count; made += 1) {
        const name = deletedName(lvName(`volume-${id}`), (other) => taken.has(other));
        assert.ok(isDeletedName(name) && !taken.has(name) && name.length <= 127);
        assert.throws(() => lvName(name), /cannot be the name/);
        taken.add(name);
      }
    }),
  );
});
