import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { renderTable } from '../../../../src/cli/render/table.ts';
import { escapeControls, textWidth } from '../../../../src/cli/render/text.ts';

describe('renderTable', () => {
  it('draws a box', () => {
    const table = renderTable(
      ['ID', 'Name'],
      [
        [['1'], ['数据']],
        [['2'], ['a', 'bc']],
      ],
    );
    assert.equal(
      table,
      [
        '+----+------+',
        '| ID | Name |',
        '+----+------+',
        '| 1  | 数据 |',
        '| 2  | a    |',
        '|    | bc   |',
        '+----+------+',
        '',
      ].join('\n'),
    );
  });

  it('draws the head alone when there is nothing', () => {
    assert.equal(renderTable(['ID'], []), '+----+\n| ID |\n+----+\n');
  });

  it('folds a long column to the terminal, and never one that holds ids', () => {
    const id = '7f6c2a52-1b5e-4a39-9c51-0d1c0e5a4b11';
    const lines = renderTable(['ID', 'Message'], [[[id], ['word '.repeat(30)]]], 90)
      .trimEnd()
      .split('\n');
    assert.ok(lines.every((line) => textWidth(line) === 90));
    assert.ok(lines.some((line) => line.includes(id)));
    assert.ok(renderTable(['ID'], [[[id]]], 10).includes(id));
  });

  it('has lines of one width, with the bars below each other, whatever the cells hold', () => {
    const cell = fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }).map(escapeControls), {
      minLength: 1,
      maxLength: 3,
    });
    const table = fc.integer({ min: 1, max: 4 }).chain((columns) =>
      fc.record({
        labels: fc.array(fc.string({ maxLength: 8 }).map(escapeControls), { minLength: columns, maxLength: columns }),
        rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 4 }),
        width: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(table, ({ labels, rows, width }) => {
        const lines = renderTable(labels, rows, width).trimEnd().split('\n');
        const widths = new Set(lines.map(textWidth));
        assert.equal(widths.size, 1, lines.join('\n'));
        const folded = labels.length * 43 + 1;
        if (width !== undefined) assert.ok([...widths][0]! <= Math.max(width, folded), lines.join('\n'));
      }),
    );
  });
});
