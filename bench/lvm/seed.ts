/** Many logical volumes at once: the group's metadata is written out, given them, and restored. One by one takes minutes. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { TestVolumeGroup } from '../../test/support/lvm.ts';

/** Of one GiB each, in extents of 4 MiB. */
const EXTENTS = 256;

export interface Seeder {
  /** The group holds these volumes, of ours, and nothing else. */
  seed(names: readonly string[]): Promise<void>;
}

/** `directory` for its files; the group is to be empty. */
export async function createSeeder(group: TestVolumeGroup, directory: string): Promise<Seeder> {
  const file = `${directory}/metadata`;
  await group.lvm('vgcfgbackup', '--file', file, group.name);
  const empty = await readFile(file, 'utf8');
  const end = empty.lastIndexOf('}', empty.lastIndexOf('}'));
  return {
    async seed(names) {
      const volumes = names.map((name, index) => section(name, index * EXTENTS)).join('');
      const body = `logical_volumes {\n${volumes}}\n`;
      await writeFile(file, `${empty.slice(0, end)}${body}${empty.slice(end)}`);
      await group.lvm('vgcfgrestore', '--file', file, '--force', group.name);
    },
  };
}

function section(name: string, firstExtent: number): string {
  return `"${name}" {
id = "${uuid()}"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
tags = ["ashlar"]
creation_time = 1700000000
creation_host = "bench"
segment_count = 1
segment1 {
start_extent = 0
extent_count = ${EXTENTS}
type = "striped"
stripe_count = 1
stripes = [ "pv0", ${firstExtent} ]
}
}
`;
}

/** As LVM writes one: 32 characters in seven groups. */
function uuid(): string {
  const digits = randomBytes(16).toString('hex');
  const ends = [6, 10, 14, 18, 22, 26, 32];
  return ends.map((to, index) => digits.slice(ends[index - 1] ?? 0, to)).join('-');
}
