/** What `lvm fullreport` says, as values. Pure; throws an Error that names the field where a report is not as expected. */
import { isDeletedName, tags } from './names.ts';

export interface LogicalVolume {
  readonly name: string;
  /** LVM's own, for life: a name can get to another LV, this cannot. */
  readonly uuid: string;
  /** The group's tags, or its name, say that it is deleted. Its own tags say whether it is ours. */
  readonly isDeleted: boolean;
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
}

export interface VolumeGroup {
  readonly name: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly tags: ReadonlySet<string>;
  readonly extentBytes: number;
  /** LVM counts it up with every change. */
  readonly sequence: number;
  /** Where LVM writes down what there is. When it is full, nothing can be made any more. */
  readonly metadataBytes: number;
  readonly metadataFreeBytes: number;
}

/** All of a volume group at one moment. */
export interface View {
  readonly group: VolumeGroup;
  readonly volumes: readonly LogicalVolume[];
}

/** Reads `lvm fullreport` as commands.showAll asks for it. An LV of several segments has a row for each: one is enough. */
export function parseView(text: string): View {
  const [group] = rows(text, 'vg');
  if (group === undefined) throw new Error('the report holds no volume group');
  const byName = new Map(rows(text, 'seg').map((row) => [row('lv_name'), row] as const));
  const parsed = parseGroup(group);
  return { group: parsed, volumes: [...byName.values()].map((row) => parseVolume(row, parsed)) };
}

/** What the group's tags say of LVs that are not there any more. */
export function staleMarks({ group, volumes }: View): readonly string[] {
  const uuids = new Set(volumes.map(({ uuid }) => uuid));
  return [...group.tags].filter((tag) => tag.startsWith(tags.deleted) && !uuids.has(tag.slice(tags.deleted.length)));
}

/** The devices that the group is on, of the same report. One that is missing has no path. */
export function parseDisks(text: string): readonly string[] {
  return rows(text, 'pv')
    .map((row) => row('pv_name'))
    .filter((name) => name.startsWith('/'));
}

function parseVolume(row: Row, group: VolumeGroup): LogicalVolume {
  const attributes = row('lv_attr');
  const isCowSnapshot = row('origin') !== '' && row('pool_lv') === '';
  return {
    name: row('lv_name'),
    uuid: row('lv_uuid'),
    isDeleted: isDeletedName(row('lv_name')) || group.tags.has(tags.deleted + row('lv_uuid')),
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
  };
}

function parseGroup(row: Row): VolumeGroup {
  return {
    name: row('vg_name'),
    sizeBytes: bytes(row('vg_size'), 'vg_size'),
    freeBytes: bytes(row('vg_free'), 'vg_free'),
    tags: parseTags(row('vg_tags')),
    extentBytes: bytes(row('vg_extent_size'), 'vg_extent_size'),
    sequence: bytes(row('vg_seqno'), 'vg_seqno'),
    metadataBytes: bytes(row('vg_mda_size'), 'vg_mda_size'),
    metadataFreeBytes: bytes(row('vg_mda_free'), 'vg_mda_free'),
  };
}

/** Where an extend began that has not been finished, in bytes; null where none is under way. */
export function growingFrom(volume: LogicalVolume): number | null {
  return bytesInTag(volume, tags.growingFrom);
}

/** How much of the start of something deleted has been erased, in bytes. */
export function wipedTo(volume: LogicalVolume): number {
  return bytesInTag(volume, tags.wipedTo) ?? 0;
}

function bytesInTag(volume: LogicalVolume, prefix: string): number | null {
  const found = [...volume.tags].filter((name) => name.startsWith(prefix));
  // Two are there where a crash came between adding the next and taking the last away: the smaller is always safe.
  return found.length === 0 ? null : Math.min(...found.map((tag) => bytes(tag.slice(prefix.length), tag)));
}

type Row = (field: string) => string;

function rows(text: string, kind: 'seg' | 'vg' | 'pv'): readonly Row[] {
  const document = JSON.parse(text) as { readonly report?: readonly Record<string, unknown>[] } | null;
  const reports = document?.report;
  if (!Array.isArray(reports)) throw new Error("the tool's answer has no 'report'");
  return reports.flatMap((report: Record<string, unknown>) => {
    // A group without volumes has no list of them.
    const list = report[kind] ?? (kind === 'seg' && Array.isArray(report.vg) ? [] : undefined);
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
