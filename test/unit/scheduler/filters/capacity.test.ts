import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capacityFilter } from '../../../../src/scheduler/filters/capacity.ts';
import { candidate, poolState, request } from '../support.ts';

function check(pool: Record<string, unknown>, sizeGb: number, more: { promised?: number[]; type?: string } = {}) {
  const extraSpecs: Record<string, string> = more.type === undefined ? {} : { 'provisioning:type': more.type };
  return capacityFilter.check(candidate(poolState(pool, more.promised)), request({ sizeGb, extraSpecs }));
}

const thin = { thin_provisioning_support: true, max_over_subscription_ratio: '2.0' };

describe('capacity filter, thick', () => {
  it('takes what fits exactly and nothing more', () => {
    assert.equal(check({ free_capacity_gb: 10 }, 10).pass, true);
    assert.equal(check({ free_capacity_gb: 9.99 }, 10).pass, false);
  });

  it('keeps the reserved share of the total free', () => {
    assert.equal(check({ free_capacity_gb: 15, reserved_percentage: 5 }, 10).pass, true);
    assert.equal(check({ free_capacity_gb: 15, reserved_percentage: 6 }, 10).pass, false);
  });

  it('counts what is promised to other requests', () => {
    assert.equal(check({ free_capacity_gb: 15 }, 10, { promised: [3, 2] }).pass, true);
    assert.equal(check({ free_capacity_gb: 15 }, 10, { promised: [3, 3] }).pass, false);
  });

  it('takes any size where the backend says infinite or cannot say', () => {
    for (const word of ['infinite', 'unknown']) {
      assert.equal(check({ total_capacity_gb: word, free_capacity_gb: word }, 1e12).pass, true);
    }
  });

  it('takes nothing where there is nothing', () => {
    assert.equal(check({ total_capacity_gb: 0, free_capacity_gb: 'unknown' }, 1).pass, false);
  });

  it('says what there is and what was asked for', () => {
    assert.deepEqual(check({ free_capacity_gb: 8.06, reserved_percentage: 5 }, 10, { promised: [1] }), {
      pass: false,
      reason: 'has 2.0 GiB free, 10 GiB asked for (reserved 5 %, 1.0 GiB promised to other requests)',
    });
  });
});

describe('capacity filter, thin', () => {
  it('promises up to the ratio', () => {
    assert.equal(check({ ...thin, provisioned_capacity_gb: 190 }, 10).pass, true);
    assert.equal(check({ ...thin, provisioned_capacity_gb: 191 }, 10).pass, false);
  });

  it('counts the reserved share and what is promised', () => {
    assert.equal(check({ ...thin, reserved_percentage: 10, provisioned_capacity_gb: 170 }, 10).pass, true);
    assert.equal(check({ ...thin, reserved_percentage: 10, provisioned_capacity_gb: 171 }, 10).pass, false);
    assert.equal(check({ ...thin, provisioned_capacity_gb: 170 }, 10, { promised: [20] }).pass, true);
    assert.equal(check({ ...thin, provisioned_capacity_gb: 170 }, 10, { promised: [21] }).pass, false);
  });

  it('takes nothing once the pool is physically full, whatever the ratio', () => {
    assert.equal(check({ ...thin, free_capacity_gb: 5 }, 10).pass, true);
    assert.equal(check({ ...thin, free_capacity_gb: 4 }, 10).pass, false);
    assert.equal(check({ ...thin, free_capacity_gb: 10, reserved_percentage: 10 }, 1).pass, false);
  });

  it('counts the allocated capacity where the backend reports no provisioned one', () => {
    const pool = { ...thin, provisioned_capacity_gb: undefined };
    assert.equal(check({ ...pool, allocated_capacity_gb: 190 }, 10).pass, true);
    assert.equal(check({ ...pool, allocated_capacity_gb: 191 }, 10).pass, false);
  });

  it('is decided by the type where the pool can do both', () => {
    const full = { ...thin, free_capacity_gb: 10 };
    assert.equal(check(full, 20).pass, true);
    assert.equal(check(full, 20, { type: 'thin' }).pass, true);
    assert.equal(check(full, 20, { type: 'thick' }).pass, false);
  });

  it('follows the use where the ratio is auto', () => {
    const auto = { ...thin, max_over_subscription_ratio: 'auto' };
    // Nothing provisioned yet: 20 times the total.
    assert.equal(check(auto, 2000).pass, true);
    assert.equal(check(auto, 2001).pass, false);
    // 100 promised, 49 used: 1 + 100 / 50 = 3, so 300 in all and 3 * 51 more at the most.
    const used = { ...auto, provisioned_capacity_gb: 100, free_capacity_gb: 51 };
    assert.equal(check(used, 153).pass, true);
    assert.equal(check(used, 154).pass, false);
  });

  it('does not over-subscribe where the ratio cannot be read or is below 1', () => {
    for (const ratio of ['0.5', 'many', '-3']) {
      const pool = { ...thin, max_over_subscription_ratio: ratio, provisioned_capacity_gb: 90 };
      assert.equal(check(pool, 10).pass, true);
      assert.equal(check(pool, 11).pass, false);
    }
  });

  it('is limited by the total where only that is known', () => {
    const pool = { ...thin, free_capacity_gb: 'unknown', provisioned_capacity_gb: 195 };
    assert.equal(check(pool, 5).pass, true);
    assert.equal(check(pool, 6).pass, false);
  });

  it('says the ratio and what is provisioned', () => {
    assert.deepEqual(check({ ...thin, provisioned_capacity_gb: 195 }, 10), {
      pass: false,
      reason: 'has 5.0 GiB of virtual capacity left, 10 GiB asked for (ratio 2, 195.0 GiB provisioned)',
    });
  });
});
