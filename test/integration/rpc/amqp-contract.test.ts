/** The transport's contract on a real RabbitMQ. */
import { after, before, describe } from 'node:test';
import { transportSuite } from '../../suites/transport.ts';
import { openTestTransport } from '../../support/amqp.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';

const skip = missingRabbitmq() ?? false;

describe('on RabbitMQ', { skip }, () => {
  let broker: TestRabbitmq;
  before(async () => {
    broker = await startTestRabbitmq();
  });
  after(() => broker?.close());

  transportSuite('amqp', () => openTestTransport(broker.url));
  transportSuite('amqp, durable queues', () =>
    openTestTransport(broker.url, { rabbit: { amqp_durable_queues: true }, controlExchange: 'durable' }),
  );
  transportSuite('amqp, quorum queues', () =>
    openTestTransport(broker.url, { rabbit: { rabbit_quorum_queue: true }, controlExchange: 'quorum' }),
  );
});
