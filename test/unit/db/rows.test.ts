import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseObject, toAttachment, toColumns, toService, toVolume, volumeColumns } from '../../../src/db/rows.ts';
import { formatUtc, parseUtc } from '../../../src/db/time.ts';

test('a row that another program wrote sparsely still is a volume', () => {
  const volume = toVolume({ id: 'v', status: 'error', bootable: null, deleted: null, metadata: { a: null } });
  assert.equal(volume.bootable, false);
  assert.equal(volume.multiattach, false);
  assert.equal(volume.deleted, false);
  assert.equal(volume.useQuota, true);
  assert.equal(volume.sizeGb, 0);
  assert.equal(volume.attachStatus, 'detached');
  assert.ok(volume.createdAt instanceof Date);
  assert.deepEqual(volume.metadata, { a: '' });
  assert.deepEqual(volume.adminMetadata, {});
});

test('a service that never reported counts as long gone', () => {
  assert.equal(toService({ id: 1, host: 'h', heartbeat_age: null }).heartbeatAgeSeconds, Number.POSITIVE_INFINITY);
});

test('connection_info that is no JSON object reads as none', () => {
  for (const text of [null, '', 'null', '[1]', '"x"', '{broken', 7]) {
    assert.equal(parseObject(text), null);
    assert.equal(toAttachment({ connection_info: text }).connectionInfo, null);
  }
  assert.deepEqual(parseObject('{"a": {"b": []}}'), { a: { b: [] } });
});

test('only what is set becomes a column; what no column holds is left out', () => {
  const columns = toColumns(volumeColumns, {
    sizeGb: 2,
    host: null,
    status: undefined,
    metadata: { a: '1' },
    launchedAt: new Date('2026-07-01T00:00:00.001Z'),
  });
  assert.deepEqual(columns, { size: 2, host: null, launched_at: '2026-07-01T00:00:00.001' });
});

test('a date survives its column, wherever the process lives', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }), (date) => {
      assert.deepEqual(parseUtc(formatUtc(date).replace('T', ' ')), date);
    }),
  );
});
