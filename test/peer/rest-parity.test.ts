/** The same requests to this API and to the real Cinder's, and every difference between their answers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CinderPeer, missingCinder, startCinderPeer } from '../support/cinder-peer.ts';
import { type Found, type Parity, startParity } from '../support/parity.ts';
import { startWholeNode, type WholeNode } from '../support/whole-node.ts';
import { type Allowed, allowed } from './allowed-differences.ts';
import { admin } from './rest/admin.ts';
import { attachments } from './rest/attachments.ts';
import { actions, badVolumes, quotas } from './rest/bad-volumes.ts';
import { discovery } from './rest/discovery.ts';
import { snapshots } from './rest/snapshots.ts';
import { types } from './rest/types.ts';
import { volumeLife } from './rest/volumes.ts';

const NODE_CONFIG = `[DEFAULT]
host = node
my_ip = 127.0.0.1
auth_strategy = noauth
enabled_backends = fake
osapi_volume_listen_port = 0
quota_volumes = 10
quota_snapshots = 10
quota_gigabytes = 1000
own_tgtd = false
[fake]
volume_driver = fake
volume_backend_name = fake
target_helper = fake
`;

describe('REST parity with Cinder', { skip: missingCinder() ?? false, timeout: 600_000 }, () => {
  let peer: CinderPeer;
  let node: WholeNode;
  let parity: Parity;

  before(async () => {
    // One after the other, so that what did start is known, and ended, where the other does not.
    node = await startWholeNode(NODE_CONFIG);
    peer = await startCinderPeer({ host: 'node' });
    parity = startParity({ ours: new URL(node.node().url).origin, theirs: peer.root });
  });
  after(async () => {
    await Promise.all([peer?.close(), node?.close()]);
  });

  const groups = { discovery, types, volumeLife, badVolumes, actions, snapshots, attachments, quotas, admin };
  const used = new Set<Allowed>();

  for (const [name, group] of Object.entries(groups)) {
    test(name, async (t) => {
      const askedBefore = parity.asked();
      await group(parity);
      t.diagnostic(`${parity.asked() - askedBefore} requests`);
      const differences = parity.taken();
      assert.deepEqual(differences.filter((difference) => !isAllowed(difference)).map(inWords), []);
    });
  }

  test('what is allowed to differ does differ', () => {
    const stale = allowed.filter((one) => !used.has(one));
    assert.deepEqual(
      stale.map(({ asked, where, reason }) => `${asked} ${where}: ${reason}`),
      [],
    );
  });

  function isAllowed({ asked, where }: Found): boolean {
    const fitting = allowed.filter((one) => one.asked.test(asked) && one.where.test(where));
    for (const one of fitting) used.add(one);
    return fitting.length > 0;
  }
});

function inWords({ asked, where, ours, theirs }: Found): string {
  return `${asked}: ${where} is ${JSON.stringify(ours)}, Cinder's ${JSON.stringify(theirs)}`;
}
