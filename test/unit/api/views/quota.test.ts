import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitsView, quotaSetView, quotaUsageView } from '../../../../src/api/views/quota.ts';

describe('views of quotas', () => {
  it('name limits and usage as `limits` does, and leave out what has no name there', () => {
    const figures = {
      volumes: { limit: 10, inUse: 2 },
      gigabytes: { limit: -1, inUse: 7 },
      groups: { limit: 10, inUse: 0 },
    };
    assert.deepEqual(limitsView(figures), {
      rate: [],
      absolute: { maxTotalVolumes: 10, maxTotalVolumeGigabytes: -1, totalVolumesUsed: 2, totalGigabytesUsed: 7 },
    });
  });

  it('show a quota set with its project, and the answer to a change without', () => {
    assert.deepEqual(quotaSetView({ volumes: 10 }, 'p'), { volumes: 10, id: 'p' });
    assert.deepEqual(quotaSetView({ volumes: 10 }), { volumes: 10 });
    assert.deepEqual(quotaUsageView({ volumes: { limit: 10, inUse: 2 } }, 'p'), {
      volumes: { limit: 10, in_use: 2, reserved: 0 },
      id: 'p',
    });
  });
});
