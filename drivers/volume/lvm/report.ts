/** What `lvs` and `vgs` say, as values. Pure; throws an Error that names the field where a report is not as expected. */
import { tags } from './names.ts';

export interface LogicalVolume {
  readonly name: string;
  /** What a reader of the device sees: of a copy-on-write snapshot the size of its origin, not of its store. */
  readonly sizeBytes: number;
  readonly tags: ReadonlySet<string>;
  /** What it is a snapshot of, thick or thin; null otherwise. */
  readonly origin: string | null;
  readonly pool: string | null;
  /** `linear`, `thin`, `thin-pool`, … */
  readonly segmentType: string;
  readonly isActive: boolean;
  /** Somebody has the device open: it is exported and in use, or mounted. */
  readonly isOpen: boolean;
  /** A copy-on-write snapshot that ran over or broke. */
  readonly isInvalid: boolean;
  readonly dataPercent: number | null;
  readonly metadataPercent: number | null;
  /** Of a thin pool: new blocks read as zeros. */
  readonly zeroesNewBlocks: boolean;
  readonly groupTags: ReadonlySet<string>;
}

export interface VolumeGroup {
  readonly name: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly volumes: number;
  readonly tags: ReadonlySet<string>;
  readonly extentBytes: number;
}

/** Reads `lvs --reportformat json --units b --nosuffix`. An LV of several segments has a row for each: one is enough. */
export function parseVolumes(text: string): readonly LogicalVolume[] {
  const byName = new Map(rows(text, 'lv').map((row) => [row('lv_name'), row] as const));
  return [...byName.values()].map((row) => {
    const attributes = row('lv_attr');
    const isCowSnapshot = row('origin') !== '' && row('pool_lv') === '';
    return {
      name: row('lv_name'),
      sizeBytes: isCowSnapshot ? bytes(row('origin_size'), 'origin_size') : bytes(row('lv_size'), 'lv_size'),
      tags: parseTags(row('lv_tags')),
      origin: row('origin') || null,
      pool: row('pool_lv') || null,
      segmentType: row('segtype'),
      isActive: attributes[4] === 'a' || attributes[4] === 's',
      isOpen: attributes[5] === 'o',
      isInvalid: /[ISmM]/.test(attributes[4] ?? ''),
      dataPercent: percent(row('data_percent')),
      metadataPercent: percent(row('metadata_percent')),
      zeroesNewBlocks: row('zero') === 'zero',
      groupTags: parseTags(row('vg_tags')),
    };
  });
}

/** Reads `vgs --reportformat json --units b --nosuffix` of one group. */
export function parseGroup(text: string): VolumeGroup {
  const [row] = rows(text, 'vg');
  if (row === undefined) throw new Error('the report of vgs holds no volume group');
  return {
    name: row('vg_name'),
    sizeBytes: bytes(row('vg_size'), 'vg_size'),
    freeBytes: bytes(row('vg_free'), 'vg_free'),
    volumes: bytes(row('lv_count'), 'lv_count'),
    tags: parseTags(row('vg_tags')),
    extentBytes: bytes(row('vg_extent_size'), 'vg_extent_size'),
  };
}

/** Where an extend began that has not been finished, in bytes; null where none is under way. */
export function growingFrom(volume: LogicalVolume): number | null {
  const tag = [...volume.tags].find((name) => name.startsWith(tags.growingFrom));
  return tag === undefined ? null : bytes(tag.slice(tags.growingFrom.length), tag);
}

type Row = (field: string) => string;

function rows(text: string, kind: 'lv' | 'vg'): readonly Row[] {
  const document = JSON.parse(text) as { readonly report?: readonly Record<string, unknown>[] } | null;
  const reports = document?.report;
  if (!Array.isArray(reports)) throw new Error("the tool's answer has no 'report'");
  return reports.flatMap((report: Record<string, unknown>) => {
    const list = report[kind];
    if (!Array.isArray(list)) throw new Error(`the report has no '${kind}'`);
    return list.map(
      (fields: Record<string, unknown>): Row =>
        (name) => {
          const value = fields[name];
          if (typeof value !== 'string') throw new Error(`the report has no field '${name}'`);
          return value;
        },
    );
  });
}

function bytes(text: string, field: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${field} is no whole number: '${text}'`);
  return Number(text);
}

function percent(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

function parseTags(text: string): ReadonlySet<string> {
  return new Set(text.split(',').filter((tag) => tag !== ''));
}
