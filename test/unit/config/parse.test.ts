import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseConfigText } from '../../../src/config/parse.ts';
import { renderAssignment } from '../../../src/config/sample.ts';

const parse = (...lines: string[]) => parseConfigText(lines.join('\n'), 'a.conf');
const pairs = (...lines: string[]) => parse(...lines).entries.map(({ group, name, value }) => [group, name, value]);

describe('parseConfigText', () => {
  it('reads groups, both signs, and keeps file and line', () => {
    assert.deepEqual(parse('# top', '[DEFAULT]', 'a = 1', '', '[ lvm ]', 'b: x = y', 'c=d:e'), {
      entries: [
        { group: 'DEFAULT', name: 'a', value: '1', file: 'a.conf', line: 3 },
        { group: 'lvm', name: 'b', value: 'x = y', file: 'a.conf', line: 6 },
        { group: 'lvm', name: 'c', value: 'd:e', file: 'a.conf', line: 7 },
      ],
      faults: [],
    });
  });

  it('keeps repeated names in order, over groups that start again', () => {
    assert.deepEqual(pairs('[a]', 'x = 1', '[b]', 'x = 2', '[a]', 'x = 3', 'x = 4'), [
      ['a', 'x', '1'],
      ['b', 'x', '2'],
      ['a', 'x', '3'],
      ['a', 'x', '4'],
    ]);
  });

  it('joins continuation lines, which may look like anything', () => {
    assert.deepEqual(pairs('[a]', 'x = 1,', '    2,', '\t# 3', '  [b]', 'y ='), [
      ['a', 'x', '1,\n2,\n# 3\n[b]'],
      ['a', 'y', ''],
    ]);
  });

  it('ends a value at a blank line and at a comment', () => {
    const { entries, faults } = parse('[a]', 'x = 1', '', '  2', 'y = 1', '# note', '  2');
    assert.deepEqual(
      entries.map(({ value }) => value),
      ['1', '1'],
    );
    assert.deepEqual(
      faults.map(({ line }) => line),
      [4, 7],
    );
  });

  it('takes comments in the first column only, and none behind a value', () => {
    assert.deepEqual(pairs('; one', '[a]', '#x = 1', 'y = a # b'), [['a', 'y', 'a # b']]);
  });

  it('takes a matching pair of quotes away', () => {
    const values = ['"a b"', "' a'", '"a\'', 'a"b"', '""', '"a", "b"'];
    assert.deepEqual(
      pairs('[a]', ...values.map((value) => `x = ${value}`)).map((pair) => pair[2]),
      ['a b', ' a', '"a\'', 'a"b"', '', 'a", "b'],
    );
  });

  it('reads every kind of line end, and a byte order mark', () => {
    const { entries } = parseConfigText('\uFEFF[a]\r\nx = 1\r\n  2\ry = 3', 'a.conf');
    assert.deepEqual(
      entries.map(({ name, value, line }) => [name, value, line]),
      [
        ['x', '1\n2', 2],
        ['y', '3', 4],
      ],
    );
  });

  it('collects all faults, says where, and never shows what a line holds', () => {
    const { entries, faults } = parse('x = 1', '  y', '[', '[]', '[b', 'hunter2', '= hunter2', '[ok]', 'z = 1');
    assert.deepEqual(
      faults.map(({ file, line }) => `${file}:${line}`),
      ['a.conf:1', 'a.conf:3', 'a.conf:4', 'a.conf:5', 'a.conf:6', 'a.conf:7'],
    );
    assert.ok(!JSON.stringify(faults).includes('hunter2'));
    assert.equal(entries.length, 1, 'the reading goes on behind a fault');
  });

  it('never throws, and every entry and fault has a line of the text', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '[a]',
        '[',
        ']',
        '=',
        ':',
        ' x',
        '\t',
        '#',
        'a = "',
        "b: '",
        '\r',
        '\uFEFF',
        '[DEFAULT]',
        'k = v',
      ),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n');
        const count = text.split(/\r\n|\n|\r/).length;
        const { entries, faults } = parseConfigText(text, 'f');
        for (const { line } of [...entries, ...faults]) assert.ok(line >= 1 && line <= count);
        for (const entry of entries) assert.ok(entry.name !== '' && entry.group !== '');
      }),
    );
  });

  it('reads back what renderAssignment writes', () => {
    // What the format can hold: no line end but \n; lines below the first are neither blank nor indented.
    const lineText = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
    const further = lineText.map((text) => text.trim()).filter((text) => text !== '');
    const value = fc
      .tuple(lineText, fc.array(further, { maxLength: 2 }))
      .map(([first, rest]) => [first, ...rest].join('\n'));
    const entry = fc.tuple(fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/), value);
    fc.assert(
      fc.property(fc.array(entry), (written) => {
        const text = ['[group]', ...written.map(([name, text]) => renderAssignment(name, text))].join('\n');
        const { entries, faults } = parseConfigText(text, 'f');
        assert.deepEqual(faults, []);
        assert.deepEqual(
          entries.map(({ name, value }) => [name, value]),
          written,
        );
      }),
    );
  });
});
