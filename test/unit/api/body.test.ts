import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { booleanWord, metadata, optionalText, sizeGb } from '../../../src/api/body.ts';
import { parseJsonBody } from '../../../src/api/body-parser.ts';

const taken = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('sizes', () => {
  it('are positive whole numbers, also as digits', () => {
    assert.equal(sizeGb.parse(1), 1);
    assert.equal(sizeGb.parse('12'), 12);
    assert.equal(sizeGb.parse(2 ** 31 - 1), 2 ** 31 - 1);
    for (const value of [
      0,
      -1,
      1.5,
      1e12,
      2 ** 31,
      '0',
      '-1',
      '1.5',
      '1e3',
      ' 1',
      '',
      'abc',
      true,
      null,
      [1],
      Infinity,
    ]) {
      assert.equal(taken(sizeGb, value), false, String(value));
    }
  });
});

describe('texts', () => {
  it('hold any 255 characters that the database holds', () => {
    for (const value of ['', 'a\'b"c\\d\n\t$(e)`f`', '💾'.repeat(255), '日本', null, undefined]) {
      assert.equal(taken(optionalText, value), true, String(value));
    }
    for (const value of ['a'.repeat(256), '💾'.repeat(256), 'a\0b', 'a\ud800b', 1, {}]) {
      assert.equal(taken(optionalText, value), false, String(value));
    }
  });

  it('are kept as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (value) => {
        fc.pre(!value.includes('\0') && [...value].length <= 255);
        assert.equal(optionalText.parse(value), value);
      }),
    );
  });
});

describe('metadata', () => {
  it('has texts under keys of letters, digits and a few marks', () => {
    assert.deepEqual(metadata.parse({ 'a b:c/d_e-f.g': "'" }), { 'a b:c/d_e-f.g': "'" });
    for (const value of [
      { '': 'x' },
      { 'a=b': 'x' },
      { a: 1 },
      { a: null },
      { a: 'x'.repeat(256) },
      { ['k'.repeat(256)]: 'x' },
      [],
    ]) {
      assert.equal(taken(metadata, value), false, JSON.stringify(value));
    }
  });
});

describe('yes and no', () => {
  it('come as words too', () => {
    for (const value of [true, 'True', 'yes', 'ON', '1', 't']) assert.equal(booleanWord.parse(value), true);
    for (const value of [false, 'False', 'no', 'Off', '0', 'f']) assert.equal(booleanWord.parse(value), false);
    for (const value of ['maybe', '', 1, null]) assert.equal(taken(booleanWord, value), false);
  });
});

describe('the body of a request', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('is JSON in UTF-8, or nothing', () => {
    assert.equal(parseJsonBody(bytes('')), undefined);
    assert.deepEqual(parseJsonBody(bytes('{"a": "ü"}')), { a: 'ü' });
  });

  it('is refused with a reason where it is not', () => {
    assert.throws(() => parseJsonBody(Uint8Array.of(0x22, 0xff, 0x22)), /not valid UTF-8/);
    assert.throws(() => parseJsonBody(bytes('{"a": ')), /not valid JSON/);
    assert.throws(() => parseJsonBody(bytes('{"a": {"__proto__": {}}}')), /__proto__/);
  });
});
