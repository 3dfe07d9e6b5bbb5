/** A transport whose messages are measured: how many of which method, how they end, how long they take. */
import { measure } from '../lib/measure.ts';
import { isFailure } from '../model/errors.ts';
import type { Transport } from './transport.ts';

type Side = 'handled' | 'call' | 'cast' | 'fanout';

export function observeTransport(transport: Transport): Transport {
  return {
    ...transport,
    call: (target, message, options) => timed('call', message.method, () => transport.call(target, message, options)),
    cast: (target, message) => timed('cast', message.method, () => transport.cast(target, message)),
    fanout: (topic, message) => timed('fanout', message.method, () => transport.fanout(topic, message)),
    listen: (address, handler) =>
      transport.listen(address, (message, delivery) =>
        timed('handled', message.method, () => handler(message, delivery)),
      ),
    close: () => transport.close(),
  };
}

async function timed<T>(side: Side, method: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  let outcome = 'ok';
  let name = method;
  try {
    return await work();
  } catch (error) {
    outcome = isFailure(error) ? error.code : 'Internal';
    // A peer may ask for anything: only what exists gets a series of its own.
    if (side === 'handled' && (outcome === 'NoSuchMethod' || /there is no method/.test(String(error))))
      name = 'unknown';
    throw error;
  } finally {
    measure({ what: 'rpc', side, method: name, outcome, durationMs: performance.now() - startedAtMs });
  }
}
