/** The broker, then the database go away while volumes are being made: each is made once, or fails with a reason. */
import { after, before, describe, test } from 'node:test';
import type { Transport } from '../../../src/rpc/transport.ts';
import { openTestTransport } from '../../support/amqp.ts';
import { type OutageBed, startOutageBed } from '../../support/outage-bed.ts';
import { assertServes, createByApi, createByCast, underOutage } from '../../support/outage-load.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';

const CREATES = 40;
const OUTAGE_MS = 2000;

describe('creates while something is away', { skip: missingRabbitmq() ?? false, timeout: 400_000 }, () => {
  let bed: OutageBed;
  let peer: Transport;
  before(async () => {
    bed = await startOutageBed({ durable: true });
    peer = await openTestTransport(bed.broker.url, { rabbit: { amqp_durable_queues: true, rabbit_interval_max: 2 } });
  });
  after(async () => {
    await peer?.close();
    await bed?.close();
  });

  for (const part of ['broker', 'database'] as const) {
    test(`the ${part}: asked of the API and by a Cinder's casts`, async () => {
      const load = { creates: CREATES, outageMs: OUTAGE_MS };
      await underOutage(bed, bed[part], load, async (count, onAccepted) => {
        const byApi = createByApi(bed, count / 2, onAccepted);
        await Promise.all([byApi, createByCast(bed, peer, count / 2, () => {})]);
      });
      await assertServes(bed);
    });
  }
});
