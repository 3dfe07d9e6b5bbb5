/** Actions on a volume that attach and detach: the calls from before there were attachments. */
import { z } from 'zod';
import { text, uuid } from '../body.ts';
import { attachVolume, detachVolume } from '../requests/attach-volume.ts';
import { initializeConnection, terminateConnection } from '../requests/connect-volume.ts';
import { beginDetaching, reserveVolume, rollDetaching, unreserveVolume } from '../requests/reserve-volume.ts';
import { type Action, defineAction } from '../route.ts';

const connector = z.record(z.string(), z.unknown());
/** Actions without arguments come with null, with an empty object or with anything. */
const anything = z.unknown();
const ACCEPTED = { status: 202 } as const;

export const attachActions: readonly Action[] = [
  defineAction({
    name: 'os-reserve',
    summary: 'Claim a volume for attaching',
    body: anything,
    async handle({ services, context, params }) {
      await reserveVolume(services, context, params.id!);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-unreserve',
    summary: 'Take a claim back',
    body: anything,
    async handle({ services, context, params }) {
      await unreserveVolume(services, context, params.id!);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-begin_detaching',
    summary: 'Say that a consumer is about to let go',
    body: anything,
    async handle({ services, context, params }) {
      await beginDetaching(services, context, params.id!);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-roll_detaching',
    summary: 'Take os-begin_detaching back',
    body: anything,
    async handle({ services, context, params }) {
      await rollDetaching(services, context, params.id!);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-attach',
    summary: 'Record a consumer',
    body: z
      .strictObject({
        instance_uuid: uuid.optional(),
        host_name: text().optional(),
        mountpoint: text().refine((value) => value !== '', 'must not be empty'),
        mode: z.enum(['rw', 'ro']).default('rw'),
      })
      .refine((body) => body.instance_uuid !== undefined || body.host_name !== undefined, {
        message: 'instance_uuid or host_name must be given',
      }),
    async handle({ services, context, params, body }) {
      const { instance_uuid, host_name, mountpoint, mode } = body;
      const input = { instanceId: instance_uuid ?? null, hostName: host_name ?? null, mountpoint, mode };
      await attachVolume(services, context, params.id!, input);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-detach',
    summary: 'End a consumer',
    body: z.strictObject({ attachment_id: uuid.nullish() }).nullable(),
    async handle({ services, context, params, body }) {
      await detachVolume(services, context, params.id!, body?.attachment_id ?? null);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-force_detach',
    admin: true,
    summary: 'Disconnect an initiator and end its consumer, whatever they say',
    body: z.strictObject({ connector: connector.nullish(), attachment_id: uuid.nullish() }).nullable(),
    async handle({ services, context, params, body }) {
      // In this order: a consumer whose initiator is still let in must not look detached.
      const leaving = { connector: body?.connector ?? null, force: true };
      await terminateConnection(services, context, params.id!, leaving);
      await detachVolume(services, context, params.id!, body?.attachment_id ?? null);
      return ACCEPTED;
    },
  }),
  defineAction({
    name: 'os-initialize_connection',
    summary: 'Let an initiator in; answers how to connect',
    body: z.strictObject({ connector }),
    async handle({ services, context, params, body }) {
      const info = await initializeConnection(services, context, params.id!, body.connector);
      return { status: 200, body: { connection_info: info } };
    },
  }),
  defineAction({
    name: 'os-terminate_connection',
    summary: 'Take the right of an initiator away',
    body: z.strictObject({ connector: connector.nullable() }),
    async handle({ services, context, params, body }) {
      await terminateConnection(services, context, params.id!, { connector: body.connector, force: false });
      return ACCEPTED;
    },
  }),
];
