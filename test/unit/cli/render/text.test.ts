import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  escapeControls,
  escapeControlsInJson,
  padEnd,
  textWidth,
  truncate,
  wrap,
} from '../../../../src/cli/render/text.ts';

/** Text as an attacker or another alphabet would write it. */
const nasty = fc.string({ unit: 'binary', maxLength: 40 });

describe('escapeControls', () => {
  it('shows what would otherwise act on the terminal', () => {
    assert.equal(escapeControls('a\nb\tc\u001b[31m\u0007\u009b\u202e'), 'a\\nb\\tc\\x1b[31m\\x07\\x9b\\u202e');
  });

  it('leaves what can be shown alone', () => {
    assert.equal(escapeControls('Größe \\ 数据 🙂 "q" \'q\''), 'Größe \\ 数据 🙂 "q" \'q\'');
  });

  it('leaves nothing that acts, whatever comes in', () => {
    fc.assert(fc.property(nasty, (text) => !/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e]/u.test(escapeControls(text))));
  });

  it('keeps JSON equal', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const json = escapeControlsInJson(JSON.stringify({ [text]: text }, null, 2));
        assert.doesNotMatch(json, /[\u007f-\u009f\u2028\u202e]/);
        // JSON.stringify makes halves of surrogate pairs whole on the way back, so both sides go through it.
        assert.equal(JSON.stringify(JSON.parse(json)), JSON.stringify({ [text]: text }));
      }),
    );
  });
});

describe('textWidth', () => {
  const widths: readonly (readonly [text: string, columns: number])[] = [
    ['', 0],
    ['data', 4],
    ['Größe', 5],
    ['Gro\u0308ße', 5],
    ['数据', 4],
    ['ﾃﾞｰﾀ', 4],
    ['한글', 4],
    ['Ａ', 2],
    ['🙂', 2],
    ['👩‍👩‍👧', 2],
    ['a\u200bb', 2],
  ];
  for (const [text, columns] of widths) {
    it(`${JSON.stringify(text)} takes ${columns}`, () => assert.equal(textWidth(text), columns));
  }
});

describe('fitting text', () => {
  const shown = nasty.map(escapeControls);

  it('pads to exactly the width', () => {
    fc.assert(fc.property(shown, (text) => textWidth(padEnd(text, textWidth(text) + 3)) === textWidth(text) + 3));
  });

  it('truncates to no more than the width', () => {
    assert.equal(truncate('volume data', 8), 'volume …');
    fc.assert(
      fc.property(shown, fc.integer({ min: 2, max: 20 }), (text, width) => textWidth(truncate(text, width)) <= width),
    );
  });

  it('wraps without losing a character, at spaces where it can', () => {
    assert.deepEqual(wrap('one two three', 8), ['one two ', 'three']);
    fc.assert(
      fc.property(shown, fc.integer({ min: 2, max: 20 }), (text, width) => {
        const lines = wrap(text, width);
        assert.equal(lines.join(''), text);
        for (const line of lines) assert.ok(textWidth(line) <= width, JSON.stringify(line));
      }),
    );
  });
});
