/**
 * What becomes of a deleted LV (host.ts, quarantine): erased as volume_clear says, then removed, several at a time. Where
 * it stands is in names and tags alone, so it goes on after a crash. Until it is removed its space is not free, and
 * it is removed only when it is erased, or when the group has been said to hold old bytes: so no new volume shows them.
 */
import { failpoint, type Logger } from '#driver';
import type { Bytes } from './bytes.ts';
import type { LvmHost } from './host.ts';
import { tags } from './names.ts';
import { type LogicalVolume, staleMarks, wipedTo } from './report.ts';
import { isQuarantined, moveAside } from './shared.ts';

export interface Clearing {
  readonly method: 'none' | 'zero';
  /** MiB at the start of a volume; 0 is all of it. */
  readonly sizeMib: number;
}

/** Removed by one command. */
const BATCH = 32;
/** Marks of removed LVs that one command takes away. */
const FORGET_BATCH = 128;
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

  /** What it is called afterwards; null where it is gone. */
  async function erase(lv: LogicalVolume, signal: AbortSignal): Promise<string | null> {
    const until = metadataOnly ? 0 : bytesToErase(lv, clearing);
    if (until < lv.sizeBytes && lv.pool === null) await host.freeSpaceIsDirty();
    let from = wipedTo(lv);
    if (from >= until) return lv.name;
    // Under its name a new volume could come to be while this writes to the path: so it gets another one first.
    const name = await moveAside(host, lv);
    if (name === null) return null;
    const device = await host.device({ ...lv, name });
    while (from < until) {
      const to = Math.min(from + NOTE_EVERY_BYTES, until);
      await bytes.erase({ device, from, to }, signal);
      if (to < until) await host.tag(name, `${tags.wipedTo}${to}`);
      if (to < until && from > 0) await host.untag(name, `${tags.wipedTo}${from}`);
      from = to;
    }
    return name;
  }

  async function forgetStale(marks: readonly string[]): Promise<void> {
    for (let from = 0; from < marks.length; from += FORGET_BATCH) {
      await host.forget(marks.slice(from, from + FORGET_BATCH));
    }
  }

  return {
    /** Erases and removes what can be, until there is no more or `signal` ends it. True where it has removed anything. */
    async pass(signal: AbortSignal): Promise<boolean> {
      let hasRemoved = false;
      while (!signal.aborted) {
        await host.giveWay(signal);
        if (signal.aborted) return hasRemoved;
        const quiet = await host.recentView(QUIET_MS);
        if (!quiet.volumes.some(isQuarantined)) {
          await forgetStale(staleMarks(quiet));
          return hasRemoved;
        }
        const view = await host.view();
        const { volumes } = view;
        const batch = removable(volumes).slice(0, BATCH);
        if (batch.length === 0) {
          const names = volumes.filter(isQuarantined).map((lv) => lv.name);
          if (names.length > 0) {
            log.warn({ names }, 'deleted, but still open or with snapshots, so their space is not free yet');
          }
          await forgetStale(staleMarks(view));
          return hasRemoved;
        }
        const erased: { name: string; uuid: string }[] = [];
        for (const lv of batch) {
          if (signal.aborted) return hasRemoved;
          const name = await erase(lv, signal);
          if (name !== null) erased.push({ name, uuid: lv.uuid });
        }
        failpoint('lvm.erased');
        if (erased.length > 0) await host.removeExactly(erased);
        hasRemoved = true;
        log.info({ count: erased.length }, 'deleted volumes are erased and removed');
      }
      return hasRemoved;
    },
  };
}
