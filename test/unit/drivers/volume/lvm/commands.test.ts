import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as commands from '../../../../../drivers/volume/lvm/commands.ts';

test('every lvm command that could ask a question answers it beforehand', () => {
  const made = { volumeGroup: 'vg', name: 'v', tags: ['ashlar'], sizeGb: 1, origin: 'o', pool: 'p' };
  const all = [
    commands.createThick(made, { metadataOnly: false }),
    commands.createCowSnapshot(made),
    commands.createThinPool('vg', 'p', []),
    commands.createThin(made),
    commands.createThinSnapshot(made),
    commands.extend('vg', 'v', 2),
    commands.remove('vg', 'v'),
    commands.activate('vg', 'v'),
  ];
  for (const argv of all) assert.ok(argv.includes('--yes'), argv.join(' '));
});

test('what is made carries its tags from its first moment', () => {
  const made = { volumeGroup: 'vg', name: 'v', tags: ['one', 'two'], sizeGb: 1, origin: 'o', pool: 'p' };
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
  assert.match(commands.copy('/a', '/b', 10, { skipZeros: true }).join(' '), /conv=fsync,nocreat,sparse/);
  assert.doesNotMatch(commands.copy('/a', '/b', 10, { skipZeros: false }).join(' '), /sparse/);
});

test('ionice stands before the command, with its options apart', () => {
  assert.deepEqual(commands.withIonice('-c2  -n7', ['dd', 'x']), ['ionice', '-c2', '-n7', 'dd', 'x']);
  assert.deepEqual(commands.withIonice(null, ['dd', 'x']), ['dd', 'x']);
});
