import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as commands from '../../../../../drivers/volume/lvm/commands.ts';

test('every lvm command that could ask a question answers it beforehand', () => {
  const made = { volumeGroup: 'vg', name: 'v', tags: ['ashlar'], sizeBytes: 2 ** 30, origin: 'o', pool: 'p' };
  const all = [
    commands.createThick(made, { metadataOnly: false }),
    commands.createCowSnapshot(made),
    commands.createThinPool('vg', 'p', []),
    commands.createThin(made),
    commands.createThinSnapshot(made),
    commands.extend('vg', 'v', 2 ** 31),
    commands.remove('vg', 'v'),
    commands.rename('vg', 'v', 'w'),
    commands.activate('vg', 'v'),
  ];
  for (const argv of all) assert.ok(argv.includes('--yes'), argv.join(' '));
});

test('what is made carries its tags from its first moment', () => {
  const made = { volumeGroup: 'vg', name: 'v', tags: ['one', 'two'], sizeBytes: 2 ** 30, origin: 'o', pool: 'p' };
  for (const argv of [
    commands.createThick(made, { metadataOnly: true }),
    commands.createCowSnapshot(made),
    commands.createThin(made),
    commands.createThinSnapshot(made),
  ]) {
    assert.match(argv.join(' '), /--addtag one --addtag two/);
  }
});

test('zeros are skipped only where the target reads as zeros', () => {
  assert.match(
    commands.copy({ device: '/a', from: 0, to: 10 }, '/b', { skipZeros: true }).join(' '),
    /conv=fsync,nocreat,sparse/,
  );
  assert.doesNotMatch(commands.copy({ device: '/a', from: 0, to: 10 }, '/b', { skipZeros: false }).join(' '), /sparse/);
});

test('ionice stands before the command, with its options apart', () => {
  assert.deepEqual(commands.withIonice('-c2  -n7', ['dd', 'x']), ['ionice', '-c2', '-n7', 'dd', 'x']);
  assert.deepEqual(commands.withIonice(null, ['dd', 'x']), ['dd', 'x']);
});
