/** The volume service of a report bed as a process of its own, over RabbitMQ. What to do comes as messages. */
import { openDatabase } from '../../src/db/connection.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import { describeProcess } from '../../src/service/report.ts';
import { openTestTransport } from './amqp.ts';
import { type Effect, startBedService } from './report-bed.ts';
import { openVolumeBed } from './volume-bed.ts';

export type Order =
  | {
      readonly kind: 'start';
      readonly connection: Parameters<typeof openDatabase>[0]['connection'];
      readonly url: string;
    }
  /** The driver's createVolume waits from now on, until 'release'. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'release' };

const effects = new Map<string, Effect>();
let gate = Promise.withResolvers<void>();

process.on('message', (order: Order) => {
  if (order.kind === 'start') void start(order);
  if (order.kind === 'hold') effects.set('createVolume', () => gate.promise);
  if (order.kind === 'release') {
    effects.clear();
    gate.resolve();
    gate = Promise.withResolvers();
  }
});
process.on('disconnect', () => process.exit(0));

async function start({ connection, url }: Extract<Order, { kind: 'start' }>): Promise<void> {
  const store = createStore(openDatabase({ connection }));
  const transport = await openTestTransport(url);
  const bed = await openVolumeBed(store, { capacityGb: 100 });
  const log = { level: 'info', setLevel: () => {}, failedWrites: () => 0 } as const;
  describeProcess({ version: '0.0.0', role: 'volume fake', config: () => [], log });
  const service = await startBedService({ store, transport, bed, effects });
  await service.firstState;
  process.send!('ready');
}
