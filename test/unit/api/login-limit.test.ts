import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLoginLimit } from '../../../src/api/login-limit.ts';

function setup(capacity = 100) {
  let now = 0;
  const limit = createLoginLimit({ failures: 3, windowMs: 1000, capacity, now: () => now });
  const fail = (address: string, times: number) => {
    for (let i = 0; i < times; i++) limit.failed(address);
  };
  return {
    limit,
    fail,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('the limit on failing logins', () => {
  it('makes an address wait for the rest of its window, and no other', () => {
    const { limit, fail, pass } = setup();
    fail('a', 2);
    assert.equal(limit.waitMs('a', 'x'), 0);
    pass(400);
    fail('a', 1);
    assert.equal(limit.waitMs('a', 'x'), 600);
    assert.equal(limit.waitMs('b', 'x'), 0);
    pass(600);
    assert.equal(limit.waitMs('a', 'x'), 0);
  });

  it('begins a new window after the old one', () => {
    const { limit, fail, pass } = setup();
    fail('a', 3);
    pass(1000);
    fail('a', 1);
    assert.equal(limit.waitMs('a', 'x'), 0);
    fail('a', 2);
    assert.equal(limit.waitMs('a', 'x'), 1000);
  });

  it('lets a token pass that was accepted before', () => {
    const { limit, fail } = setup();
    limit.succeeded('good');
    fail('a', 3);
    assert.equal(limit.waitMs('a', 'good'), 0);
    assert.equal(limit.waitMs('a', 'guess'), 1000);
  });

  it('forgets the oldest address when there are too many', () => {
    const { limit, fail } = setup(2);
    for (const address of ['a', 'b', 'c']) fail(address, 3);
    assert.equal(limit.waitMs('a', 'x'), 0);
    assert.equal(limit.waitMs('b', 'x'), 1000);
    assert.equal(limit.waitMs('c', 'x'), 1000);
  });
});
