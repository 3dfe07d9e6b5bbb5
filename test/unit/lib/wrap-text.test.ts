import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { wrapText } from '../../../src/lib/wrap-text.ts';

describe('wrapText', () => {
  it('breaks between words and keeps a longer word whole', () => {
    assert.deepEqual(wrapText('one two  three\nfour', 9), ['one two', 'three', 'four']);
    assert.deepEqual(wrapText('a incomprehensible b', 5), ['a', 'incomprehensible', 'b']);
    assert.deepEqual(wrapText('  ', 5), []);
  });

  it('keeps every word in order, and fills lines as far as they go', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/));
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 40 }), (list, width) => {
        const lines = wrapText(list.join(' '), width);
        assert.equal(lines.join(' '), list.join(' '));
        for (const [index, line] of lines.entries()) {
          assert.ok(line.length <= width || !line.includes(' '));
          const next = lines[index + 1]?.split(' ')[0];
          assert.ok(next === undefined || line.length + 1 + next.length > width);
        }
      }),
    );
  });
});
