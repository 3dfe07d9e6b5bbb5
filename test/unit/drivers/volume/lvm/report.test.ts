import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { growingFrom, parseView, staleMarks, wipedTo } from '../../../../../drivers/volume/lvm/report.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../../../fixtures/lvm/${name}`, import.meta.url), { encoding: 'utf8' });
const one = (fields: Record<string, string>) => {
  const [report] = JSON.parse(fixture('report-linear.json')).report;
  return parseView(JSON.stringify({ report: [{ ...report, seg: [{ ...report.seg[0], ...fields }] }] })).volumes[0]!;
};

test('an LV of two segments is one volume, with its whole size', () => {
  const { volumes } = parseView(fixture('report-linear.json'));
  assert.deepEqual(volumes.map((volume) => [volume.name.slice(0, 10), volume.sizeBytes] as const).sort(), [
    ['deleted-vo', 67108864],
    ['foreign', 268435456],
    ['volume-0b2', 1610612736],
    ['volume-5d1', 1073741824],
  ]);
});

test('tags of the volume and of its group, and where an extend began', () => {
  const { group, volumes } = parseView(fixture('report-linear.json'));
  const find = (start: string) => volumes.find(({ name }) => name.startsWith(start))!;
  assert.deepEqual([...find('foreign').tags], []);
  assert.deepEqual([...find('volume-5d1').tags], ['ashlar', 'ashlar.making']);
  assert.deepEqual([...group.tags], ['ashlar.free-space-is-zero']);
  assert.equal(growingFrom(find('volume-0b2')), 1073741824);
  assert.equal(growingFrom(find('volume-5d1')), null);
});

test('deleted is what the group’s tags say by uuid, or what has the name; what is gone leaves a stale mark', () => {
  const [report] = JSON.parse(fixture('report-linear.json')).report;
  const [first, second] = report.seg.map(({ lv_uuid }: { lv_uuid: string }) => lv_uuid);
  const tagged = (vg_tags: string) =>
    parseView(JSON.stringify({ report: [{ ...report, vg: [{ ...report.vg[0], vg_tags }] }] }));
  const deleted = (vg_tags: string) => tagged(vg_tags).volumes.filter(({ isDeleted }) => isDeleted);
  const byName = deleted('').map(({ name }) => name);
  assert.deepEqual(byName, ['deleted-volume-7c9e6679-7425-40de-944b-e07fc1f90ae7']);
  const marked = deleted(`x,ashlar.deleted.${second},ashlar.deleted.gone`).map(({ uuid }) => uuid);
  assert.ok(marked.includes(second) && marked.length <= 2);
  assert.deepEqual(staleMarks(tagged(`ashlar.deleted.gone,ashlar.deleted.${first},x`)), ['ashlar.deleted.gone']);
});

test('of two notes of how far erasing went, the smaller counts', () => {
  assert.equal(wipedTo(one({ lv_tags: 'ashlar' })), 0);
  assert.equal(
    wipedTo(one({ lv_tags: 'ashlar,ashlar.wiped-to.34359738368,ashlar.wiped-to.17179869184' })),
    17179869184,
  );
});

test('the size of a copy-on-write snapshot is its origin’s, of a thin one its own', () => {
  const cow = one({ lv_size: '1077936128', origin: 'volume-x', origin_size: '1073741824', lv_attr: 'swi-a-s---' });
  assert.deepEqual([cow.sizeBytes, cow.origin], [1073741824, 'volume-x']);
  const thin = one({ lv_size: '1073741824', origin: 'volume-x', origin_size: '2147483648', pool_lv: 'vg-pool' });
  assert.deepEqual([thin.sizeBytes, thin.pool], [1073741824, 'vg-pool']);
});

test('attributes say whether it is active, open, broken', () => {
  const states = (lv_attr: string) => {
    const { isActive, isOpen, isInvalid } = one({ lv_attr });
    return [isActive, isOpen, isInvalid];
  };
  assert.deepEqual(states('-wi-a-----'), [true, false, false]);
  assert.deepEqual(states('-wi-ao----'), [true, true, false]);
  assert.deepEqual(states('-wi-------'), [false, false, false]);
  assert.deepEqual(states('-wi-XX----'), [false, false, false]);
  assert.deepEqual(states('swi-I-s---'), [false, false, true]);
});

test('a thin pool: percentages, and whether it zeroes new blocks', () => {
  const pool = one({ segtype: 'thin-pool', zero: 'zero', data_percent: '12.50', metadata_percent: '1.01' });
  assert.deepEqual([pool.dataPercent, pool.metadataPercent, pool.zeroesNewBlocks], [12.5, 1.01, true]);
  const other = one({ segtype: 'thin-pool', zero: '', data_percent: '', metadata_percent: '' });
  assert.deepEqual([other.dataPercent, other.metadataPercent, other.zeroesNewBlocks], [null, null, false]);
});

test('an empty group has no volumes', () => {
  assert.deepEqual(parseView(fixture('report-empty.json')).volumes, []);
});

test('the group in bytes, with its sequence number and the room of its metadata area', () => {
  const { tags: _, ...group } = parseView(fixture('report-linear.json')).group;
  assert.deepEqual(group, {
    name: 't1vg',
    sizeBytes: 4290772992,
    freeBytes: 1270874112,
    extentBytes: 4194304,
    sequence: 6,
    metadataBytes: 1044480,
    metadataFreeBytes: group.metadataFreeBytes,
  });
  assert.ok(group.metadataFreeBytes > 500_000 && group.metadataFreeBytes < 522_240);
  assert.throws(() => parseView('{"report":[{"vg":[]}]}'), /no volume group/);
});

test('anything else is an error, never a wrong volume', () => {
  assert.throws(() => one({ lv_size: '1.00g' }), /lv_size is no whole number: '1.00g'/);
  assert.throws(() => parseView('{"report":[{"vg":[{"vg_name":"x"}]}]}'), /no field/);
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.throws(() => parseView(text), Error);
    }),
  );
});
