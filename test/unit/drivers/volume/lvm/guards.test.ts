import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasAmpleRoom, volumesLeft, whyNoMore } from '../../../../../drivers/volume/lvm/guards.ts';
import { type LogicalVolume, parseView, type View } from '../../../../../drivers/volume/lvm/report.ts';

const plain = parseView(
  readFileSync(new URL('../../../../fixtures/lvm/report-linear.json', import.meta.url), { encoding: 'utf8' }),
);
const thresholds = { dataPercent: 95, metadataPercent: 85 };
const withMetadata = (metadataFreeBytes: number, metadataBytes = 1044480): View => ({
  ...plain,
  group: { ...plain.group, metadataFreeBytes, metadataBytes },
});
const pool = (dataPercent: number | null, metadataPercent: number | null): LogicalVolume => ({
  ...plain.volumes[0]!,
  name: 't1vg-pool',
  segmentType: 'thin-pool',
  dataPercent,
  metadataPercent,
});

test('a group with room takes more, with a pool or without', () => {
  assert.equal(whyNoMore(plain, null, thresholds), null);
  assert.equal(whyNoMore(plain, pool(94.99, 84.99), thresholds), null);
  assert.equal(whyNoMore(plain, pool(null, null), thresholds), null);
});

test('a metadata area that is nearly full is said before lvm fails', () => {
  assert.match(whyNoMore(withMetadata(32 * 1024), null, thresholds)!, /metadata area of volume group t1vg .*4 volumes/);
  assert.equal(whyNoMore(withMetadata(32 * 1024 + 1), null, thresholds), null);
  // A tenth of a tiny one is enough.
  assert.equal(whyNoMore(withMetadata(9000, 80_000), null, thresholds), null);
  assert.notEqual(whyNoMore(withMetadata(8000, 80_000), null, thresholds), null);
});

test('a pool at a threshold says which, and how to grow it', () => {
  assert.match(whyNoMore(plain, pool(95, 1), thresholds)!, /t1vg\/t1vg-pool is 95 % full .*lvm_thin_data_threshold/);
  assert.match(whyNoMore(plain, pool(1, 85), thresholds)!, /metadata of the thin pool .*--poolmetadatasize/);
});

test('how many volumes fit is never below none', () => {
  assert.ok(volumesLeft(plain) > 1000);
  assert.equal(volumesLeft(withMetadata(0)), 0);
});

test('an older report is enough only far from every limit, and the less the more was changed since', () => {
  assert.ok(hasAmpleRoom(plain, null, thresholds, 0));
  assert.ok(!hasAmpleRoom(plain, null, thresholds, 60), 'sixty changes may have taken half a megabyte');
  assert.ok(!hasAmpleRoom(withMetadata(80 * 1024), null, thresholds, 0));
  assert.ok(hasAmpleRoom(plain, pool(74, 64), thresholds, 0));
  assert.ok(!hasAmpleRoom(plain, pool(75, 1), thresholds, 0));
  assert.ok(!hasAmpleRoom(plain, pool(1, 65), thresholds, 0));
  assert.ok(!hasAmpleRoom(plain, pool(null, null), thresholds, 0));
});
