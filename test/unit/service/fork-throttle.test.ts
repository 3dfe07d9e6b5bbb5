import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createForkThrottle } from '../../../src/service/fork-throttle.ts';

describe('the throttle of forks', () => {
  it('lets the first ones through at once', () => {
    const throttle = createForkThrottle(2);
    assert.deepEqual([throttle.takeTurnMs(0), throttle.takeTurnMs(0)], [0, 0]);
    assert.equal(throttle.takeTurnMs(500), 1500);
  });

  it('never has more than `forks` forks in `forks` seconds, whenever they are asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(3000), { maxLength: 40 }), (forks, pauses) => {
        const throttle = createForkThrottle(forks);
        const made: number[] = [];
        let nowMs = 0;
        for (const pause of pauses) {
          nowMs += pause;
          made.push(nowMs + throttle.takeTurnMs(nowMs));
        }
        const sorted = made.toSorted((a, b) => a - b);
        for (const [index, atMs] of sorted.entries()) {
          const earlier = sorted[index - forks];
          if (earlier !== undefined) assert.ok(atMs - earlier >= forks * 1000, `${sorted}`);
        }
      }),
    );
  });
});
