/** LIO's configfs in memory, with the kernel's rules as far as the target lio meets them. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import type { ConfigFs, Step } from '../../../../../src/driver/configfs.ts';

export const ROOT = '/c';

/** What the kernel makes inside a new directory. */
const KINDS: readonly {
  readonly path: RegExp;
  readonly files: Readonly<Record<string, string>>;
  readonly dirs?: readonly string[];
}[] = [
  {
    path: /^\/c\/core\/[^/]+\/[^/]+$/,
    files: {
      ...{ enable: '0', udev_path: '', control: '', 'attrib/emulate_tpu': '0' },
      'wwn/vpd_unit_serial': 'T10 VPD Unit Serial Number: ',
    },
  },
  {
    path: /^\/c\/iscsi\/[^/]+\/tpgt_\d+$/,
    files: {
      ...{ enable: '0', 'attrib/authentication': '1', 'attrib/generate_node_acls': '0' },
      ...{ 'attrib/cache_dynamic_acls': '0', 'attrib/demo_mode_write_protect': '1', 'attrib/demo_mode_discovery': '1' },
    },
    dirs: ['lun', 'np', 'acls'],
  },
  {
    path: /^\/c\/iscsi\/[^/]+\/tpgt_\d+\/acls\/[^/]+$/,
    files: {
      ...{ 'auth/userid': '', 'auth/password': '', 'auth/userid_mutual': '', 'auth/password_mutual': '' },
      info: 'No active iSCSI Session for Initiator Endpoint: x',
    },
  },
];

export interface Model extends ConfigFs {
  readonly directories: Set<string>;
  readonly files: Map<string, string>;
  readonly links: Map<string, string>;
  state(): readonly string[];
}

export function emptyModel(): Model {
  const directories = new Set([ROOT, `${ROOT}/core`, `${ROOT}/iscsi`]);
  const made = new Set<string>();
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  const parent = (path: string) => posix.dirname(path);
  const children = (path: string) => [
    ...new Set(
      [...directories, ...files.keys(), ...links.keys()]
        .filter((each) => each.startsWith(`${path}/`))
        .map((each) => each.slice(path.length + 1).split('/')[0]!),
    ),
  ];
  const actions: { readonly [O in Step['op']]: (step: Extract<Step, { op: O }>) => void } = {
    mkdir({ path }) {
      assert.ok(directories.has(parent(path)), `no directory for ${path}`);
      if (directories.has(path)) return;
      directories.add(path);
      made.add(path);
      const kind = KINDS.find((each) => each.path.test(path));
      for (const name of kind?.dirs ?? []) directories.add(`${path}/${name}`);
      for (const [name, value] of Object.entries(kind?.files ?? {})) files.set(`${path}/${name}`, value);
    },
    write({ path, value }) {
      assert.ok(files.has(path), `no file ${path}`);
      if (path.endsWith('vpd_unit_serial')) {
        const object = parent(parent(path));
        assert.ok(![...links.values()].includes(object), 'the serial number of an object in use cannot be changed');
        files.set(path, `T10 VPD Unit Serial Number: ${value}`);
      } else if (/\/core\/.*\/enable$/.test(path)) {
        assert.notEqual(files.get(path.replace(/enable$/, 'control')), '', 'no device was named');
        files.set(path, value);
      } else if (path.includes('/auth/') && value === 'NULL') files.set(path, 'NULL');
      else files.set(path, value);
    },
    link({ path, target }) {
      assert.ok(directories.has(parent(path)) && directories.has(target), `cannot link ${path} to ${target}`);
      if (target.startsWith(`${ROOT}/core/`))
        assert.equal(files.get(`${target}/enable`), '1', 'the object is not enabled');
      links.set(path, target);
    },
    remove({ path }) {
      if (links.delete(path) || !directories.has(path)) return;
      const inside = [...made, ...links.keys()].filter((each) => each.startsWith(`${path}/`));
      assert.deepEqual(inside, [], `${path} is not empty`);
      assert.ok(![...links.values()].includes(path), `${path} is linked`);
      for (const each of [...directories]) if (each === path || each.startsWith(`${path}/`)) directories.delete(each);
      for (const each of [...files.keys()]) if (each.startsWith(`${path}/`)) files.delete(each);
      made.delete(path);
    },
  };
  return {
    directories,
    files,
    links,
    list: async (path) => (directories.has(path) ? children(path) : null),
    read: async (path) => files.get(path) ?? null,
    target: async (path) => links.get(path) ?? null,
    take: async (step) => actions[step.op](step as never),
    state: () =>
      [
        ...directories,
        ...[...files].map((each) => each.join(' = ')),
        ...[...links].map((each) => each.join(' -> ')),
      ].sort(),
  };
}
