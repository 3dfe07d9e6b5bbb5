import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel, ConsumeMessage } from 'amqplib';
import { type Arrival, createWorks } from '../../../../src/rpc/amqp/works.ts';

/** Arrivals that write down what the broker hears. */
function bench() {
  const heard: string[] = [];
  const arrive = (name: string): Arrival & { isOpen: () => boolean; lose(): void } => {
    let isOpen = true;
    const channel = {
      ack: () => heard.push(`ack ${name}`),
      nack: () => heard.push(`nack ${name}`),
    } as unknown as Channel;
    return {
      channel,
      message: {} as ConsumeMessage,
      isOpen: () => isOpen,
      lose() {
        isOpen = false;
      },
    };
  };
  return { works: createWorks(), heard, arrive };
}

test('a copy is attached to what runs: the newest is acknowledged, once', () => {
  const { works, heard, arrive } = bench();
  const first = arrive('first');
  const work = works.begin('id', first)!;
  first.lose();
  assert.equal(works.begin('id', arrive('second')), null);
  assert.deepEqual(heard, []);
  works.acknowledge(work);
  works.acknowledge(work);
  works.end(work);
  assert.deepEqual(heard, ['ack second']);
});

test('a copy of what is acknowledged, or has ended, is acknowledged at once', () => {
  const { works, heard, arrive } = bench();
  const work = works.begin('id', arrive('first'))!;
  works.acknowledge(work);
  works.begin('id', arrive('second'));
  works.end(work);
  works.begin('id', arrive('third'));
  assert.deepEqual(heard, ['ack first', 'ack second', 'ack third']);
});

test('what was handed back begins anew, and its old handler says nothing more', () => {
  const { works, heard, arrive } = bench();
  const work = works.begin('id', arrive('first'))!;
  works.handBack(work);
  const again = works.begin('id', arrive('second'))!;
  assert.notEqual(again, null);
  works.acknowledge(work);
  works.end(work);
  assert.ok(work.isHandedBack);
  assert.deepEqual(heard, ['nack first']);
  works.end(again);
  assert.deepEqual(heard, ['nack first', 'ack second']);
});

test('what is acknowledged is not handed back', () => {
  const { works, heard, arrive } = bench();
  const work = works.begin('id', arrive('first'))!;
  works.acknowledge(work);
  works.handBack(work);
  assert.deepEqual(heard, ['ack first']);
});
