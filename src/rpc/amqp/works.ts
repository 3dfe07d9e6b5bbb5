/**
 * What a process works on, by the sender's id of the message. A copy that comes while the work goes on (its connection was
 * lost, or the sender could not know whether it had arrived) is attached to it, one that comes after it is acknowledged.
 */
import type { Channel, ConsumeMessage } from 'amqplib';

/** One coming of a message. */
export interface Arrival {
  readonly channel: Channel;
  readonly message: ConsumeMessage;
  /** Whether the broker still waits for our word on it: not once its channel is gone. */
  isOpen(): boolean;
}

export interface Work {
  readonly key: string;
  /** The newest; those before belonged to channels that are gone, or were copies. */
  readonly arrival: Arrival;
  /** True once nothing more is to be done for it here: it was handed back. */
  readonly isHandedBack: boolean;
  readonly isAcknowledged: boolean;
}

export interface Works {
  /** Null for a copy, which is taken care of. */
  begin(key: string, arrival: Arrival): Work | null;
  /** A second time, or after it was handed back, it does nothing. */
  acknowledge(work: Work): void;
  /** Acknowledges it where that is still to be done, and knows copies of it from now on. */
  end(work: Work): void;
  /** The broker shall give it to another, or to us again. */
  handBack(work: Work): void;
}

/** How many ended works are remembered. */
const REMEMBERED = 10_000;

interface Entry extends Work {
  arrival: Arrival;
  isHandedBack: boolean;
  isAcknowledged: boolean;
}

export function createWorks(): Works {
  const running = new Map<string, Entry>();
  const ended = new Set<string>();

  return {
    begin(key, arrival) {
      const entry = running.get(key);
      if (entry === undefined && !ended.has(key)) {
        const begun = { key, arrival, isHandedBack: false, isAcknowledged: false };
        running.set(key, begun);
        return begun;
      }
      if (entry === undefined || entry.isAcknowledged) {
        acknowledge(arrival);
      } else {
        // Of two copies that the broker holds, the older needs no second run.
        acknowledge(entry.arrival);
        entry.arrival = arrival;
      }
      return null;
    },
    acknowledge(work) {
      const entry = running.get(work.key);
      if (entry !== work || entry.isAcknowledged) return;
      entry.isAcknowledged = true;
      acknowledge(entry.arrival);
    },
    end(work) {
      const entry = running.get(work.key);
      if (entry !== work) return;
      if (!entry.isAcknowledged) acknowledge(entry.arrival);
      entry.isAcknowledged = true;
      running.delete(work.key);
      ended.add(work.key);
      if (ended.size > REMEMBERED) ended.delete(ended.values().next().value!);
    },
    handBack(work) {
      const entry = running.get(work.key);
      if (entry !== work || entry.isAcknowledged) return;
      entry.isHandedBack = true;
      running.delete(work.key);
      const { arrival } = entry;
      if (arrival.isOpen()) attempt(() => arrival.channel.nack(arrival.message, false, true));
    },
  };
}

export function acknowledge(arrival: Arrival): void {
  if (arrival.isOpen()) attempt(() => arrival.channel.ack(arrival.message));
}

/** A channel that ends at this moment throws; the message then comes again by itself. */
function attempt(send: () => void): void {
  try {
    send();
  } catch {
    // See above.
  }
}
