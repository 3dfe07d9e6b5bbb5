/**
 * What becomes of a deleted LV (shared.ts, quarantine): erased as volume_clear says, then removed, several at a time. Where
 * it stands is in the LV's name and tags alone, so it goes on after a crash. Until it is removed its space is not free, and
 * it is removed only when it is erased, or when the group has been said to hold old bytes: so no new volume shows them.
 */
import { failpoint, type Logger } from '#driver';
import type { Bytes } from './bytes.ts';
import type { LvmHost } from './host.ts';
import { tags } from './names.ts';
import { type LogicalVolume, wipedTo } from './report.ts';
import { isQuarantined } from './shared.ts';

export interface Clearing {
  readonly method: 'none' | 'zero';
  /** MiB at the start of a volume; 0 is all of it. */
  readonly sizeMib: number;
}

/** Removed by one command. */
const BATCH = 32;
/** Erasing is written down this often: what a crash costs at most. */
const NOTE_EVERY_BYTES = 16 * 1024 ** 3;
/** Looked at again where nothing of ours has changed: for what an operator has put there or closed. */
const QUIET_MS = 10 * 60_000;

/** How much of the start of a deleted volume is to be erased, in bytes. Pure. */
export function bytesToErase(lv: LogicalVolume, { method, sizeMib }: Clearing): number {
  // A thin pool zeroes a block before it gives it to another.
  if (method === 'none' || lv.pool !== null) return 0;
  return sizeMib === 0 ? lv.sizeBytes : Math.min(lv.sizeBytes, sizeMib * 1024 ** 2);
}

/** Of the volumes, what can be removed now: deleted, ours, not open, and nothing hangs on it. Pure. */
export function removable(volumes: readonly LogicalVolume[]): readonly LogicalVolume[] {
  const hasSnapshots = (lv: LogicalVolume) => volumes.some((other) => other.origin === lv.name && other.pool === null);
  return volumes.filter((lv) => isQuarantined(lv) && !lv.isOpen && !hasSnapshots(lv));
}

export function createWiper(host: LvmHost, bytes: Bytes, clearing: Clearing, log: Logger) {
  const { metadataOnly } = host.settings;

  async function erase(lv: LogicalVolume, signal: AbortSignal): Promise<void> {
    const until = metadataOnly ? 0 : bytesToErase(lv, clearing);
    if (until < lv.sizeBytes && lv.pool === null) await host.freeSpaceIsDirty();
    let from = wipedTo(lv);
    if (from >= until) return;
    const device = await host.device(lv);
    while (from < until) {
      const to = Math.min(from + NOTE_EVERY_BYTES, until);
      await bytes.erase({ device, from, to }, signal);
      if (to < until) await host.tag(lv.name, `${tags.wipedTo}${to}`);
      if (to < until && from > 0) await host.untag(lv.name, `${tags.wipedTo}${from}`);
      from = to;
    }
  }

  return {
    /** Erases and removes what can be, until there is no more or `signal` ends it. True where it has removed anything. */
    async pass(signal: AbortSignal): Promise<boolean> {
      let hasRemoved = false;
      while (!signal.aborted) {
        const quiet = await host.recentView(QUIET_MS);
        if (!quiet.volumes.some(isQuarantined)) return hasRemoved;
        const { volumes } = await host.view();
        const batch = removable(volumes).slice(0, BATCH);
        if (batch.length === 0) {
          const names = volumes.filter(isQuarantined).map((lv) => lv.name);
          log.warn({ names }, 'deleted, but still open or with snapshots, so their space is not free yet');
          return hasRemoved;
        }
        for (const lv of batch) {
          if (signal.aborted) return hasRemoved;
          await erase(lv, signal);
        }
        failpoint('lvm.erased');
        await host.remove(...batch.map((lv) => lv.name));
        hasRemoved = true;
        log.info({ count: batch.length }, 'deleted volumes are erased and removed');
      }
      return hasRemoved;
    },
  };
}
