/** The command lines of LVM, as values. Pure. Sizes are bytes, which lvm rounds up to whole extents; reports are JSON. */
export type Argv = readonly [string, ...string[]];

const REPORT = ['--reportformat', 'json', '--units', 'b', '--nosuffix'] as const;
const MIB = 1024 * 1024;

/** Without device-mapper lvm cannot activate, and so not wipe, what it makes. */
export interface Activation {
  readonly metadataOnly: boolean;
}

/** The group and all its volumes in one report; what the other parts of it hold is the least that lvm allows. */
export function showAll(volumeGroup: string): Argv {
  const part = (name: string, fields: string) => ['--configreport', name, '--options', fields] as const;
  const group = 'vg_name,vg_size,vg_free,vg_tags,vg_extent_size,vg_seqno,vg_mda_size,vg_mda_free';
  const volumes =
    'lv_name,lv_uuid,lv_size,lv_attr,lv_tags,origin,origin_size,pool_lv,data_percent,metadata_percent,segtype,zero';
  return [
    ...['lvm', 'fullreport', ...REPORT, ...part('vg', group), ...part('seg', volumes)],
    ...[...part('lv', 'lv_name'), ...part('pv', 'pv_name'), ...part('pvseg', 'pvseg_start'), volumeGroup],
  ] as unknown as Argv;
}

/** Fails where the kernel has no device-mapper. */
export function listDeviceMapperTargets(): Argv {
  return ['dmsetup', 'targets'];
}

interface NewVolume {
  readonly volumeGroup: string;
  readonly name: string;
  readonly tags: readonly string[];
}

export function createThick(volume: NewVolume & { readonly sizeBytes: number }, { metadataOnly }: Activation): Argv {
  const activation = metadataOnly
    ? ['--activate', 'n', '--zero', 'n', '--wipesignatures', 'n']
    : ['--activate', 'y', '--zero', 'y', '--wipesignatures', 'y'];
  return [
    ...(['lvcreate', '--yes', '--name', volume.name, '--size', `${volume.sizeBytes}b`] as const),
    ...addTags(volume.tags),
    ...activation,
    volume.volumeGroup,
  ];
}

/** A copy-on-write snapshot whose store has room for the whole origin, so that it can never overflow. */
export function createCowSnapshot(snapshot: NewVolume & { readonly origin: string }): Argv {
  return [
    ...(['lvcreate', '--yes', '--snapshot', '--name', snapshot.name, '--extents', '100%ORIGIN'] as const),
    ...addTags(snapshot.tags),
    `${snapshot.volumeGroup}/${snapshot.origin}`,
  ];
}

/** Takes 95 % of what is free: the rest is for the pool's metadata to grow. New blocks of the pool read as zeros. */
export function createThinPool(volumeGroup: string, pool: string, tags: readonly string[]): Argv {
  return [
    ...(['lvcreate', '--yes', '--type', 'thin-pool', '--zero', 'y', '--extents', '95%FREE', '--name', pool] as const),
    ...addTags(tags),
    volumeGroup,
  ];
}

export function createThin(volume: NewVolume & { readonly pool: string; readonly sizeBytes: number }): Argv {
  return [
    ...([
      'lvcreate',
      '--yes',
      '--type',
      'thin',
      '--thinpool',
      volume.pool,
      '--virtualsize',
      `${volume.sizeBytes}b`,
    ] as const),
    ...['--name', volume.name],
    ...addTags(volume.tags),
    volume.volumeGroup,
  ];
}

/** A thin snapshot: a volume like any other, at once. It is activated like one (no activation skip). */
export function createThinSnapshot(snapshot: NewVolume & { readonly origin: string }): Argv {
  return [
    ...(['lvcreate', '--yes', '--snapshot', '--setactivationskip', 'n', '--name', snapshot.name] as const),
    ...addTags(snapshot.tags),
    `${snapshot.volumeGroup}/${snapshot.origin}`,
  ];
}

export function extend(volumeGroup: string, name: string, sizeBytes: number): Argv {
  return ['lvextend', '--yes', '--size', `${sizeBytes}b`, `${volumeGroup}/${name}`];
}

export function remove(volumeGroup: string, ...names: readonly string[]): Argv {
  const volumes = names.map((name) => `${volumeGroup}/${name}`);
  return ['lvremove', '--yes', '--config', 'activation { retry_deactivation = 1 }', ...volumes];
}

/** The same for those that still are the ones of these uuids: a name may have got to another meanwhile. */
export function removeExactly(
  volumeGroup: string,
  volumes: readonly { readonly name: string; readonly uuid: string }[],
): Argv {
  const [program, ...options] = remove(volumeGroup);
  const select = volumes.map(({ uuid }) => `lv_uuid=${uuid}`).join(' || ');
  return [program, ...options, '--select', select, ...volumes.map(({ name }) => `${volumeGroup}/${name}`)];
}

export function rename(volumeGroup: string, from: string, to: string): Argv {
  return ['lvrename', '--yes', volumeGroup, from, to];
}

export function activate(volumeGroup: string, ...names: readonly string[]): Argv {
  const volumes = names.map((name) => `${volumeGroup}/${name}`);
  return ['lvchange', '--yes', '--activate', 'y', '--ignoreactivationskip', ...volumes];
}

export function addTag(volumeGroup: string, name: string, tag: string): Argv {
  return ['lvchange', '--addtag', tag, `${volumeGroup}/${name}`];
}

export function removeTag(volumeGroup: string, name: string, tag: string): Argv {
  return ['lvchange', '--deltag', tag, `${volumeGroup}/${name}`];
}

/** One change of the group, however many tags: lvchange makes one for each volume. */
export function addGroupTags(volumeGroup: string, names: readonly string[]): Argv {
  return ['vgchange', ...addTags(names), volumeGroup];
}

export function removeGroupTags(volumeGroup: string, names: readonly string[]): Argv {
  return ['vgchange', ...names.flatMap((name) => ['--deltag', name]), volumeGroup];
}

/** Bytes [from, to) of a device. */
export interface Range {
  readonly device: string;
  readonly from: number;
  readonly to: number;
}

/** What was written to the device before is on disk when it ends: its cache is flushed. */
export function flush(device: string): Argv {
  return ['sync', '--data', device];
}

/** The kernel writes zeros, by the device's own command where it has one. Refuses a device that is in use. */
export function zeroOut({ device, from, to }: Range): Argv {
  return ['blkdiscard', '--zeroout', '--offset', String(from), '--length', String(to - from), device];
}

export function zeroByDd({ device, from, to }: Range): Argv {
  return [
    ...(['dd', 'if=/dev/zero', `of=${device}`, `bs=${MIB}`, `seek=${from}`, `count=${to - from}`] as const),
    ...['iflag=count_bytes', 'oflag=direct,seek_bytes', 'conv=fsync,nocreat', 'status=none'],
  ];
}

/** Copies the range of one device to the same place of another. `skipZeros` only onto what reads as zeros. */
export function copy(
  { device, from, to }: Range,
  target: string,
  { skipZeros }: { readonly skipZeros: boolean },
): Argv {
  return [
    ...(['dd', `if=${device}`, `of=${target}`, `bs=${MIB}`, `skip=${from}`, `seek=${from}`] as const),
    ...[`count=${to - from}`, 'iflag=direct,skip_bytes,count_bytes', 'oflag=direct,seek_bytes'],
    ...[`conv=fsync,nocreat${skipZeros ? ',sparse' : ''}`, 'status=none'],
  ];
}

/** The command at another I/O priority: `-c3` and the like from volume_clear_ionice. */
export function withIonice(ionice: string | null, argv: Argv): Argv {
  const words = (ionice ?? '').split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? argv : ['ionice', ...words, ...argv];
}

function addTags(tags: readonly string[]): string[] {
  return tags.flatMap((tag) => ['--addtag', tag]);
}
