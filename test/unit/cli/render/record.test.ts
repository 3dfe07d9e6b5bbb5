import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Column, renderList, renderRecord } from '../../../../src/cli/render/record.ts';

interface Item {
  readonly name: string | null;
  readonly size: number;
  readonly tags: Readonly<Record<string, string>>;
}

const columns: readonly Column<Item>[] = [
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'size', label: 'Size', value: ({ size }) => size },
  { key: 'tags', label: 'Tags', value: ({ tags }) => tags },
];
const items: readonly Item[] = [
  { name: 'two\nlines\tand a tab', size: 1, tags: { k: 'v', 'a\u001b': 'b' } },
  { name: null, size: 20, tags: {} },
];

describe('a list', () => {
  it('as values: a line for each item, fields parted by a tab, nothing else on that line', () => {
    assert.equal(renderList(items, columns, 'value'), "two\\nlines\\tand a tab\t1\tk='v', a\\x1b='b'\n\t20\t\n");
  });

  it('as JSON: the values themselves, by key', () => {
    assert.deepEqual(JSON.parse(renderList(items, columns, 'json')), items);
  });

  it('as a table: a line for each item', () => {
    const lines = renderList(items, columns, 'table').trimEnd().split('\n');
    assert.equal(lines.length, 6);
    assert.match(lines[3]!, /two\\nlines\\tand a tab/);
  });

  it('of nothing is nothing, or an empty array', () => {
    assert.equal(renderList([], columns, 'value'), '');
    assert.equal(renderList([], columns, 'json'), '[]\n');
  });
});

describe('a record', () => {
  const fields = [
    ['id', 'x'],
    ['connection_info', { target_lun: 1, encrypted: false, paths: ['a', 'b'] }],
    ['parent', null],
  ] as const;

  it('as values: a line for each field', () => {
    assert.equal(renderRecord(fields, 'value'), `x\ntarget_lun='1', encrypted='false', paths='["a","b"]'\n\n`);
  });

  it('as JSON: objects stay objects', () => {
    assert.deepEqual(JSON.parse(renderRecord(fields, 'json')), Object.fromEntries(fields));
  });

  it('as a table: an object takes a line for each entry', () => {
    const table = renderRecord(fields, 'table');
    assert.match(table, /\| connection_info \| target_lun='1' +\|\n\| +\| encrypted='false' +\|/);
  });
});
