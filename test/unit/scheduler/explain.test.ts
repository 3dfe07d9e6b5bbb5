import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { failure } from '../../../src/model/errors.ts';
import { explain } from '../../../src/scheduler/explain.ts';

const full = { pool: 'a@lvm#p', filter: 'CapacityFilter', reason: 'has 3.0 GiB free, 10 GiB asked for' };
const silent = { pool: 'b@lvm', filter: 'BackendStateFilter', reason: 'has not reported yet' };
const elsewhere = { pool: 'c@lvm#p', filter: 'PinnedHostFilter', reason: 'is not where the source is, a@lvm#p' };

describe('explanation of a refusal', () => {
  it('names pools and reasons for the user, and filters too for the log', () => {
    const { brief, full: whole } = explain([full, silent]);
    assert.equal(brief, 'a@lvm#p: has 3.0 GiB free, 10 GiB asked for; b@lvm: has not reported yet');
    assert.equal(
      whole,
      'a@lvm#p: has 3.0 GiB free, 10 GiB asked for (CapacityFilter); b@lvm: has not reported yet (BackendStateFilter)',
    );
  });

  it('says equal reasons once', () => {
    assert.equal(
      explain([full, { ...full, pool: 'b@lvm#p' }, { ...full, pool: 'd@lvm#p' }]).brief,
      'a@lvm#p and 2 more: has 3.0 GiB free, 10 GiB asked for',
    );
  });

  it('leaves out that other pools are not where the source is', () => {
    assert.equal(explain([full, elsewhere]).brief, 'a@lvm#p: has 3.0 GiB free, 10 GiB asked for');
    assert.equal(explain([elsewhere]).brief, 'c@lvm#p: is not where the source is, a@lvm#p');
  });

  it('says what to do where there is no backend at all', () => {
    assert.match(explain([]).brief, /start one/);
  });

  it('keeps whole sentences as long as they fit and says how many are left out', () => {
    const many = Array.from({ length: 30 }, (_, index) => ({
      ...full,
      pool: `n${index}@lvm#p`,
      reason: `reason ${index}`,
    }));
    const { brief } = explain(many);
    assert.match(brief, /^n0@lvm#p: reason 0; n1@lvm#p: reason 1; .*; \d+ more in the scheduler's log$/);
    const shown = brief.match(/reason/g)!.length;
    assert.equal(Number(/(\d+) more in/.exec(brief)![1]), 30 - shown);
  });

  it('always fits a message of 255 characters, on one line, and begins with the first reason', () => {
    const refusal = fc.record({
      pool: fc.string({ minLength: 1, maxLength: 60 }),
      filter: fc.constantFrom('CapacityFilter', 'PinnedHostFilter'),
      reason: fc.string({ minLength: 1, maxLength: 400 }),
    });
    fc.assert(
      fc.property(
        fc.array(refusal, { minLength: 1, maxLength: 40 }),
        fc.constantFrom('', '3 attempts failed: '),
        (refused, lead) => {
          const { brief, full: whole } = explain(refused, lead);
          assert.ok(failure('NoValidBackend', { reason: brief }).message.length <= 255);
          assert.ok(brief.startsWith(lead));
          for (const { reason } of refused) assert.ok(whole.includes(reason));
        },
      ),
    );
  });
});
