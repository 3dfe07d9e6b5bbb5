/** The broker or the database goes away while volumes are being made: each is made once, or fails with a reason. */
import { after, before, describe, test } from 'node:test';
import type { Transport } from '../../../src/rpc/transport.ts';
import { openTestTransport } from '../../support/amqp.ts';
import { type OutageBed, startOutageBed } from '../../support/outage-bed.ts';
import { assertServes, createByApi, createByCast, type Outage, underOutage } from '../../support/outage-load.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';

const outage: Outage = { creates: 200, outageMs: 10_000 };

for (const part of ['broker', 'database'] as const) {
  describe(`200 creates while the ${part} is away`, { skip: missingRabbitmq() ?? false, timeout: 400_000 }, () => {
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

    test('asked of the API', async () => {
      await underOutage(bed, bed[part], outage, (count, onAccepted) => createByApi(bed, count, onAccepted));
      await assertServes(bed);
    });

    test("a Cinder's casts", async () => {
      await underOutage(bed, bed[part], outage, (count, onSent) => createByCast(bed, peer, count, onSent));
      await assertServes(bed);
    });
  });
}
