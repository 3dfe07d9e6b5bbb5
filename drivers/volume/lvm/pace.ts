/** How long copies and wipes are cut into pieces and slowed down. Pure. */
import type { Range } from './commands.ts';

const MIB = 1024 ** 2;
/** A command works on no more, so that a limit is kept, a stop is heard and progress is seen. */
const LONGEST_SLICE_BYTES = 1024 * MIB;

/** The pieces of a range, in order: a second's worth under a limit. `bytesPerSecond` 0: no limit. */
export function* slicesOf({ device, from, to }: Range, bytesPerSecond: number): Generator<Range> {
  const wanted = bytesPerSecond === 0 ? LONGEST_SLICE_BYTES : Math.floor(bytesPerSecond / MIB) * MIB;
  const length = Math.min(Math.max(wanted, MIB), LONGEST_SLICE_BYTES);
  for (let start = from; start < to; start += length) {
    yield { device, from: start, to: Math.min(start + length, to) };
  }
}

/** How long to rest after a piece, so that the limit is kept. */
export function restMs(bytes: number, tookMs: number, bytesPerSecond: number): number {
  return bytesPerSecond === 0 ? 0 : Math.max(0, (bytes / bytesPerSecond) * 1000 - tookMs);
}
