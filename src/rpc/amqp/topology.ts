/** Exchanges and queues, in the names, durability and arguments that oslo.messaging 14.0.3 gives them. */
import type { Channel, Options } from 'amqplib';
import type { RpcTarget } from '../transport.ts';
import type { AmqpSettings } from './settings.ts';

/** The queue, and the key by which the topic exchange finds it. */
export function queueOf({ topic, server }: RpcTarget): string {
  return server === undefined ? topic : `${topic}.${server}`;
}

export function fanoutExchangeOf(topic: string): string {
  return `${topic}_fanout`;
}

export async function declareTopicExchange(channel: Channel, settings: AmqpSettings): Promise<void> {
  const { rabbit, controlExchange } = settings;
  await channel.assertExchange(controlExchange, 'topic', {
    durable: isDurable(settings),
    autoDelete: rabbit.amqp_auto_delete,
  });
}

/** A queue of services, bound to the topic exchange. */
export async function declareTopicQueue(channel: Channel, settings: AmqpSettings, queue: string): Promise<void> {
  await declareTopicExchange(channel, settings);
  await channel.assertQueue(queue, topicQueueOptions(settings));
  await channel.bindQueue(queue, settings.controlExchange, queue);
}

/** It goes away with the last queue that was bound to it. */
export async function declareFanoutExchange(channel: Channel, topic: string): Promise<void> {
  await channel.assertExchange(fanoutExchangeOf(topic), 'fanout', { durable: false, autoDelete: true });
}

export async function declareFanoutQueue(
  channel: Channel,
  settings: AmqpSettings,
  { topic, queue }: { readonly topic: string; readonly queue: string },
): Promise<void> {
  await declareFanoutExchange(channel, topic);
  await channel.assertQueue(queue, transientQueueOptions(settings));
  await channel.bindQueue(queue, fanoutExchangeOf(topic), topic);
}

/** The queue in which a process receives the answers to its calls; the default exchange finds it by its name. */
export async function declareReplyQueue(channel: Channel, settings: AmqpSettings, queue: string): Promise<void> {
  await channel.assertQueue(queue, transientQueueOptions(settings));
}

function topicQueueOptions(settings: AmqpSettings): Options.AssertQueue {
  const { rabbit } = settings;
  const quorum = {
    'x-queue-type': 'quorum',
    ...given('x-delivery-limit', rabbit.rabbit_quorum_delivery_limit),
    ...given('x-max-in-memory-length', rabbit.rabbit_quroum_max_memory_length),
    ...given('x-max-in-memory-bytes', rabbit.rabbit_quroum_max_memory_bytes),
  };
  return {
    durable: isDurable(settings),
    autoDelete: rabbit.amqp_auto_delete,
    arguments: { ...mirrored(settings), ...(rabbit.rabbit_quorum_queue ? quorum : {}) },
  };
}

function transientQueueOptions(settings: AmqpSettings): Options.AssertQueue {
  return {
    durable: false,
    autoDelete: false,
    arguments: { ...mirrored(settings), ...given('x-expires', settings.rabbit.rabbit_transient_queues_ttl * 1000) },
  };
}

function mirrored({ rabbit }: AmqpSettings): Record<string, unknown> {
  return rabbit.rabbit_ha_queues ? { 'x-ha-policy': 'all' } : {};
}

/** 0 stands for no such argument. */
function given(name: string, value: number): Record<string, number> {
  return value > 0 ? { [name]: value } : {};
}

function isDurable({ rabbit }: AmqpSettings): boolean {
  return rabbit.amqp_durable_queues || rabbit.rabbit_quorum_queue;
}
