import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { onMeasurement } from '../../../src/lib/measure.ts';
import type { NotificationMessage } from '../../../src/rpc/notification.ts';
import { createNotifier, type Notification } from '../../../src/rpc/notifier.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const context = { requestId: 'req-1', userId: null, projectId: null, isAdmin: true, roles: [] };
const event = (eventType: string, payload: Notification['payload'] = async () => ({})): Notification => ({
  ...{ publisherId: 'volume.node', eventType, priority: 'info', context, payload },
});
let counted: Record<string, number> = {};
let forget = () => {};
beforeEach(() => {
  counted = {};
  forget = onMeasurement((of) => {
    if (of.what === 'notification') counted[of.outcome] = (counted[of.outcome] ?? 0) + 1;
  });
});
afterEach(() => forget());

/** Takes nothing until it is opened. */
function slowDriver() {
  const sent: string[] = [];
  const gate = Promise.withResolvers<void>();
  return {
    sent,
    open: gate.resolve,
    driver: {
      async send({ eventType }: NotificationMessage) {
        await gate.promise;
        sent.push(eventType);
      },
      close: async () => {},
    },
  };
}

test('they go out in order, though their contents come out of order', async () => {
  const { sent, open, driver } = slowDriver();
  const notifier = createNotifier({ drivers: [driver], retry: -1, log: recorderLog() });
  const slow = Promise.withResolvers<Record<string, unknown>>();
  notifier.notify(event('one', () => slow.promise));
  notifier.notify(event('two'));
  open();
  await new Promise((resolve) => setImmediate(resolve));
  slow.resolve({});
  await notifier.close({ timeoutMs: 10_000 });
  assert.deepEqual(sent, ['one', 'two']);
  assert.deepEqual(counted, { sent: 2 });
});

test('what is too much is dropped, counted and told in the log; the rest arrives', async () => {
  const { sent, open, driver } = slowDriver();
  const log = recorderLog();
  const notifier = createNotifier({ drivers: [driver], retry: -1, log, bufferLength: 3 });
  for (let n = 0; n < 10; n += 1) notifier.notify(event(`e${n}`));
  const dropped = counted.dropped ?? 0;
  assert.ok(dropped >= 6 && dropped <= 7, `${dropped} dropped`);
  open();
  await notifier.close({ timeoutMs: 10_000 });
  assert.deepEqual(sent, ['e0', 'e1', 'e2', 'e3'].slice(0, 10 - dropped));
  const told = log.records.filter(({ message }) => message.startsWith('notifications'));
  assert.equal(told.length, 2);
  assert.equal(told[1]!.fields.dropped, dropped);
});

test('one that fails is sent again as often as retry says, and keeps no other waiting for ever', async () => {
  let attempts = 0;
  const driver = {
    async send() {
      attempts += 1;
      throw new Error('the broker is away');
    },
    close: async () => {},
  };
  const once = createNotifier({ drivers: [driver], retry: 0, log: recorderLog() });
  once.notify(event('one'));
  once.notify(event('two'));
  await once.close({ timeoutMs: 10_000 });
  assert.equal(attempts, 2);
  assert.equal(counted.failed, 2);
  const forever = createNotifier({ drivers: [driver], retry: -1, log: recorderLog() });
  forever.notify(event('three'));
  forever.notify(event('four'));
  await forever.close({ timeoutMs: 10 });
  assert.ok((counted.dropped ?? 0) >= 1, 'the end does not wait for the broker');
});

test('a content that cannot be read is skipped', async () => {
  const { sent, open, driver } = slowDriver();
  open();
  const log = recorderLog();
  const notifier = createNotifier({ drivers: [driver], retry: -1, log });
  notifier.notify(
    event('one', async () => {
      throw new Error('the database is away');
    }),
  );
  notifier.notify(event('two'));
  await notifier.close({ timeoutMs: 10_000 });
  assert.deepEqual(sent, ['two']);
  assert.deepEqual(counted, { failed: 1, sent: 1 });
  assert.ok(log.records.some(({ fields }) => fields.reason === 'the database is away'));
});
