import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { argumentsTakenOver } from '../../../src/service/inbox-decision.ts';

const hosts = fc.array(fc.constantFrom('a@x#p', 'b@x#p', 'c@x#p'), { maxLength: 4 });

test('where a volume was tried is known from the record and from the message; all else is the record', () => {
  fc.assert(
    fc.property(hosts, hosts, (own, sent) => {
      const record = { pinnedHost: null, excludedHosts: own };
      const taken = argumentsTakenOver('create_volume', record, { pinnedHost: 'elsewhere', excludedHosts: sent });
      assert.equal(taken.pinnedHost, null);
      assert.deepEqual(new Set(taken.excludedHosts as string[]), new Set([...own, ...sent]));
      assert.equal((taken.excludedHosts as string[]).length, new Set([...own, ...sent]).size);
    }),
  );
  const own = { newSizeGb: 3 };
  assert.equal(argumentsTakenOver('extend_volume', own, { newSizeGb: 4 }), own);
});
