import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { keyValue, seconds, wholeGib, wholeNumber } from '../../../src/cli/arguments.ts';

describe('option values', () => {
  for (const bad of ['', '0', '-1', '1.5', '1e3', '0x10', ' 1', '1 ', '1GB', 'Infinity', '99999999999999999999']) {
    it(`a size is not ${JSON.stringify(bad)}`, () => {
      assert.throws(() => wholeGib(bad), InvalidArgumentError);
      assert.throws(() => wholeNumber(bad), InvalidArgumentError);
    });
  }

  it('a size is a whole number', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e12 }), (size) => wholeGib(String(size)) === size));
  });

  it('seconds may be a fraction', () => {
    assert.equal(seconds('0.5'), 0.5);
    for (const bad of ['0', '-1', 'x', '', '9999999']) assert.throws(() => seconds(bad), InvalidArgumentError);
  });

  it('key=value is cut at the first equals sign, and collected', () => {
    assert.deepEqual(keyValue('c=', keyValue('a=b=c')), { a: 'b=c', c: '' });
    for (const bad of ['', '=', '=x', 'x']) assert.throws(() => keyValue(bad), InvalidArgumentError);
  });

  it('key=value keeps keys that objects have of their own', () => {
    assert.deepEqual(Object.entries(keyValue('toString=x')), [['toString', 'x']]);
    assert.deepEqual(Object.entries(keyValue('__proto__=x')), [['__proto__', 'x']]);
  });
});
