import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesExtraSpec } from '../../../../src/scheduler/filters/extra-spec-operators.ts';

/** capability, spec, whether it fits. */
const table: readonly (readonly [unknown, string, boolean])[] = [
  // No operator: equality.
  ['iSCSI', 'iscsi', true],
  ['iSCSI', 'NVMe-oF', false],
  [5, '5', true],
  [5, '5.0', true],
  [5, '6', false],
  [true, 'True', true],
  [true, 'yes', true],
  [false, 'True', false],
  [false, 'anything', false],
  ['two words', 'two words', true],
  [null, 'null', false],
  [0, '', false],
  // `=` is at least.
  [5, '= 4', true],
  [5, '= 5', true],
  [5, '= 6', false],
  ['5', '= 4', true],
  ['text', '= 4', false],
  ['infinite', '= 4', true],
  ['unknown', '= 4', false],
  // Numbers.
  [5, '== 5.0', true],
  [5, '== 4', false],
  [5, '!= 4', true],
  [5, '!= 5', false],
  [5, '>= 5', true],
  [4, '>= 5', false],
  [5, '<= 5', true],
  [6, '<= 5', false],
  ['abc', '!= 4', false],
  // Strings.
  ['b', 's== b', true],
  ['b', 's== c', false],
  ['b', 's!= c', true],
  ['b', 's!= b', false],
  ['b', 's< c', true],
  ['b', 's< b', false],
  ['b', 's<= b', true],
  ['c', 's<= b', false],
  ['c', 's> b', true],
  ['b', 's> b', false],
  ['b', 's>= b', true],
  ['a', 's>= b', false],
  ['10', 's< 9', true],
  // Containment, alternatives, truth.
  ['raid5 ssd', '<in> ssd', true],
  ['raid5', '<in> ssd', false],
  ['b', '<or> a <or> b', true],
  ['c', '<or> a <or> b', false],
  ['a b', '<or> a b <or> c', true],
  [7, '<or> 6 <or> 7', true],
  [true, '<is> True', true],
  [false, '<is> True', false],
  [false, '<is> False', true],
  ['True', '<is> true', true],
  ['no', '<is> False', true],
  [null, '<is> False', false],
  [['a', 'b', 'c'], '<all-in> a c', true],
  [['a', 'b', 'c'], '<all-in> a <all-in> c', true],
  [['a', 'b'], '<all-in> a c', false],
  ['ssd,raid5', '<all-in> ssd raid5', true],
  [[], '<all-in>', false],
  // Several values: one that fits is enough.
  [['iSCSI', 'iscsi'], 'ISCSI', true],
  [['iSCSI', 'iscsi'], '<or> nvmeof <or> iscsi', true],
  [['FC', 'fc'], 'iscsi', false],
  // An operator without an operand asks for something nobody has.
  [5, '>=', false],
  ['', '<in>', false],
  ['x', '<or>', false],
];

describe('extra spec operators', () => {
  for (const [capability, spec, expected] of table) {
    it(`${JSON.stringify(capability)} ${expected ? 'fits' : 'does not fit'} '${spec}'`, () => {
      assert.equal(matchesExtraSpec(capability, spec), expected);
    });
  }

  it('answers true or false for anything', () => {
    const operators = ['', '=', '==', '<in>', '<or>', '<is>', '<all-in>', 's<', 'constructor', '__proto__'];
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...operators), fc.string(), (capability, operator, operand) => {
        const json: unknown = JSON.parse(JSON.stringify(capability) ?? 'null');
        assert.equal(typeof matchesExtraSpec(json, `${operator} ${operand}`), 'boolean');
      }),
    );
  });

  it('compares numbers as numbers', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (value, operand) => {
        assert.equal(matchesExtraSpec(value, `>= ${operand}`), value >= operand);
        assert.equal(matchesExtraSpec(value, `<= ${operand}`), value <= operand);
        assert.equal(matchesExtraSpec(value, `= ${operand}`), value >= operand);
        assert.equal(matchesExtraSpec(value, `== ${operand}`), !matchesExtraSpec(value, `!= ${operand}`));
      }),
    );
  });
});
