/**
 * Measurements: each part of the program says what it has just done and how long that took; who wants to know listens
 * (the metrics of src/service). Without a listener a measurement costs one look at an empty set.
 */
export type Measurement =
  | {
      readonly what: 'operation';
      readonly service: string;
      readonly method: string;
      readonly outcome: string;
      readonly durationMs: number;
    }
  /** From the wake-up to the first step: for locks, and for a place. */
  | { readonly what: 'operation wait'; readonly method: string; readonly waitedMs: number }
  /** `kind` is the key's first word: `volume` of `volume:<id>`. */
  | { readonly what: 'lock wait'; readonly kind: string; readonly waitedMs: number }
  | {
      readonly what: 'command';
      readonly program: string;
      /** `exit`, or why it was stopped. */
      readonly outcome: string;
      readonly exitCode: number | null;
      readonly durationMs: number;
    }
  | {
      readonly what: 'rpc';
      readonly side: 'handled' | 'call' | 'cast' | 'fanout';
      readonly method: string;
      /** `ok`, or the code of the failure. */
      readonly outcome: string;
      readonly durationMs: number;
    }
  | {
      readonly what: 'rest';
      readonly method: string;
      /** As declared: `/volumes/:id`. */
      readonly route: string;
      readonly status: number;
      readonly durationMs: number;
    }
  /** Dropped: too many waited. Failed: its content was not known, or it was not taken. */
  | { readonly what: 'notification'; readonly outcome: 'sent' | 'dropped' | 'failed' }
  | { readonly what: 'heartbeat'; readonly service: string }
  | { readonly what: 'pools'; readonly pools: readonly PoolMeasurement[] }
  /** How many exports were not as the record says, at the last comparison. */
  | { readonly what: 'drift'; readonly service: string; readonly exports: number };

export interface PoolMeasurement {
  /** `host@backend#pool`. */
  readonly name: string;
  /** Null where it is infinite or not known. */
  readonly totalGb: number | null;
  readonly freeGb: number | null;
  readonly allocatedGb: number;
  readonly provisionedGb: number;
}

const listeners = new Set<(measurement: Measurement) => void>();

export function measure(measurement: Measurement): void {
  for (const listener of listeners) listener(measurement);
}

/** Calls the listener with every measurement from now on, until what it returns is called. */
export function onMeasurement(listener: (measurement: Measurement) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
