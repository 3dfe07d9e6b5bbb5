import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseTextDict } from '../../../src/api/python-literal.ts';

/** As Python's repr() writes a text of printable characters. */
function repr(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
}

const dict = fc.dictionary(
  fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
  fc.string({ unit: 'grapheme' }),
  { noNullPrototype: true },
);

describe('a dict of texts', () => {
  it('reads back what Python writes', () => {
    fc.assert(
      fc.property(dict, (value) => {
        const pairs = Object.entries(value).map(([key, text]) => `${repr(key)}: ${repr(text)}`);
        assert.deepEqual(parseTextDict(`{${pairs.join(', ')}}`), value);
      }),
    );
  });

  it('reads back what JSON writes', () => {
    fc.assert(fc.property(dict, (value) => assert.deepEqual(parseTextDict(JSON.stringify(value)), value)));
  });

  it('takes a trailing comma and the u of Python 2', () => {
    assert.deepEqual(parseTextDict(`{u'a': u"b", }`), { a: 'b' });
  });

  it('is null for anything else, and never a crash', () => {
    for (const text of [
      '',
      '{',
      "{'a'}",
      "{'a': 1}",
      "{'a': {'b': 'c'}}",
      "['a']",
      "{'a': 'b' 'c': 'd'}",
      "{,'a':'b'}",
    ]) {
      assert.equal(parseTextDict(text), null, text);
    }
    fc.assert(fc.property(fc.string(), (text) => void parseTextDict(text)));
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...`{}:,'"\\ux a`) }), (text) => void parseTextDict(text)));
  });
});
