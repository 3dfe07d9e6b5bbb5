/** What is refused before it breaks: the group's metadata area, and the thin pool's data and metadata. Pure. */
import type { LogicalVolume, View } from './report.ts';

export interface Thresholds {
  /** Percent of the thin pool's data, and of its metadata, above which nothing new is made in it. */
  readonly dataPercent: number;
  readonly metadataPercent: number;
}

/** Kept free in the group's metadata area, so that what is there can still be renamed, tagged and removed. */
const METADATA_RESERVE_BYTES = 32 * 1024;
/** Of a very small metadata area. */
const METADATA_RESERVE_SHARE = 0.1;
/** What a volume with its tags takes there: for the estimate that operators see. */
const METADATA_BYTES_A_VOLUME = 400;

/** Why nothing new can be made, with what to do about it; null where it can. */
export function whyNoMore(view: View, pool: LogicalVolume | null, thresholds: Thresholds): string | null {
  const { group } = view;
  if (metadataRoom(view) <= 0) {
    return (
      `the metadata area of volume group ${group.name} is nearly full (${group.metadataFreeBytes} bytes are left, ` +
      `${view.volumes.length} volumes are in it). Delete volumes, or move some to a group made with ` +
      `'vgcreate --metadatasize 64m'.`
    );
  }
  if (pool === null) return null;
  const name = `${group.name}/${pool.name}`;
  if ((pool.dataPercent ?? 0) >= thresholds.dataPercent) {
    return (
      `the thin pool ${name} is ${pool.dataPercent} % full (lvm_thin_data_threshold is ${thresholds.dataPercent}). ` +
      `Delete volumes, or grow it with 'lvextend --size +SIZE ${name}'.`
    );
  }
  if ((pool.metadataPercent ?? 0) >= thresholds.metadataPercent) {
    return (
      `the metadata of the thin pool ${name} is ${pool.metadataPercent} % full (lvm_thin_metadata_threshold is ` +
      `${thresholds.metadataPercent}). Grow it with 'lvextend --poolmetadatasize +SIZE ${name}'.`
    );
  }
  return null;
}

/** What one change of the group may add to its metadata at the most: a volume with its tags, or a batch of marks. */
const METADATA_BYTES_A_CHANGE = 8 * 1024;
/** Of room in the metadata area, and points below a threshold: more than others take until the next report. */
const AMPLE_BYTES = 64 * 1024;
const AMPLE_PERCENT = 20;

/** True where even a report of a minute ago, and so many changes of ours since, leaves no doubt that there is room. */
export function hasAmpleRoom(
  view: View,
  pool: LogicalVolume | null,
  { dataPercent, metadataPercent }: Thresholds,
  changes: number,
): boolean {
  if (metadataRoom(view) < AMPLE_BYTES + changes * METADATA_BYTES_A_CHANGE) return false;
  if (pool === null) return true;
  const isLow = (percent: number | null, threshold: number) => percent !== null && percent + AMPLE_PERCENT < threshold;
  return isLow(pool.dataPercent, dataPercent) && isLow(pool.metadataPercent, metadataPercent);
}

/** About how many more volumes the group's metadata area takes. */
export function volumesLeft(view: View): number {
  return Math.max(0, Math.floor(metadataRoom(view) / METADATA_BYTES_A_VOLUME));
}

function metadataRoom({ group }: View): number {
  const reserve = Math.min(METADATA_RESERVE_BYTES, group.metadataBytes * METADATA_RESERVE_SHARE);
  return group.metadataFreeBytes - reserve;
}
