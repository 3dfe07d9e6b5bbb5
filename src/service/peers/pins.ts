import type { Store } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import { type Pin, pinObjectHistory, pinRpcVersion } from '../../rpcapi/objects/history.ts';
import { RPC_VERSIONS, type WireTopic } from '../../rpcapi/wire/receive.ts';
import type { WirePins } from '../../rpcapi/wire/send.ts';

/** How long a look at the services is believed. */
const BELIEVED_MS = 60_000;

export interface Pins {
  /** What the oldest service of that binary understands. ServiceUnavailable where one is too old to be spoken to. */
  of(topic: WireTopic): Promise<WirePins>;
  /** The next look is a fresh one: after a peer refused a version. */
  forget(): void;
}

export function createPins(store: Pick<Store, 'services'>, now: () => number = () => performance.now()): Pins {
  const known = new Map<WireTopic, { readonly pins: WirePins; readonly untilMs: number }>();
  return {
    async of(topic) {
      const believed = known.get(topic);
      if (believed !== undefined && now() < believed.untilMs) return believed.pins;
      const services = await store.services.list({ binary: topic });
      const pins = {
        rpcVersion: pinned(topic, pinRpcVersion(RPC_VERSIONS[topic], services)),
        objectHistory: pinned(topic, pinObjectHistory(services)),
      };
      known.set(topic, { pins, untilMs: now() + BELIEVED_MS });
      return pins;
    },
    forget: () => known.clear(),
  };
}

function pinned<V>(topic: string, pin: Pin<V>): V {
  if (pin.kind === 'pinned') return pin.version;
  const version = pin.version ?? 'none';
  throw failure('ServiceUnavailable', {
    reason: `${topic} on ${pin.host} says version ${version}, too old to be spoken to. Upgrade it, or remove its row from the services.`,
  });
}
