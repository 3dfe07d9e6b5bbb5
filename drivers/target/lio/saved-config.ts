/** targetcli's saveconfig.json: what the system's service (rtslib's targetctl) makes exports from when it starts. Pure. */
import { type ChapCredentials, failure } from '#driver';
import { guardingAttributes } from './found.ts';
import { OBJECT_LINK, UNIT_LINK } from './plan.ts';
import { LUN, type WantedExport } from './wanted.ts';

type Json = Readonly<Record<string, unknown>>;

interface File {
  readonly storage_objects: readonly Json[];
  readonly targets: readonly Json[];
}

/** An export in that format, with everybody who is let in. */
export interface SavedExport {
  readonly object: Json;
  readonly target: Json;
}

export function toSaved(wanted: WantedExport, initiators: readonly string[]): SavedExport {
  const { iqn, chap } = wanted;
  const plugin = wanted.plugin === 'iblock' ? 'block' : 'fileio';
  const attributes = Object.fromEntries(Object.entries(guardingAttributes).map(([key, value]) => [key, Number(value)]));
  return {
    object: {
      alua_tpgs: [],
      attributes: wanted.discards ? { emulate_tpu: 1 } : {},
      dev: wanted.devicePath,
      name: iqn,
      plugin,
      ...(plugin === 'block'
        ? { readonly: false, write_back: false }
        : { aio: false, size: wanted.fileBytes, write_back: wanted.writeCache }),
      wwn: wanted.serial,
    },
    target: {
      fabric: 'iscsi',
      tpgs: [
        {
          attributes: { ...attributes, authentication: chap === null ? 0 : 1 },
          enable: true,
          luns: [
            {
              alias: OBJECT_LINK,
              alua_tg_pt_gp_name: 'default_tg_pt_gp',
              index: LUN,
              storage_object: `/backstores/${plugin}/${iqn}`,
            },
          ],
          node_acls: initiators.toSorted().map((initiator) => toAcl(initiator, wanted)),
          parameters: {},
          portals: wanted.portals.map((portal) => {
            const at = portal.lastIndexOf(':');
            return { ip_address: portal.slice(0, at), iser: false, offload: false, port: Number(portal.slice(at + 1)) };
          }),
          tag: 1,
        },
      ],
      wwn: iqn,
    },
  };
}

/** What an export becomes, from what the file says of it; null: it is not there. */
export type Edit = (before: SavedExport | null) => SavedExport | null;

/**
 * The file's text with these exports changed, in order. What it says of others stays. Throws VolumeBackendAPIException
 * for a text that is not targetcli's.
 */
export function editSaved(
  text: string | null,
  edits: readonly (readonly [iqn: string, edit: Edit])[],
  path: string,
): string {
  const before = parse(text, path);
  const objects = new Map(before.storage_objects.map((each) => [`${each.plugin}/${each.name}`, each]));
  const targets = new Map(before.targets.map((each) => [String(each.wwn), each]));
  for (const [iqn, edit] of edits) {
    const keys = ['block', 'fileio'].map((plugin) => `${plugin}/${iqn}`);
    const object = keys.map((key) => objects.get(key)).find((each) => each !== undefined);
    const target = targets.get(iqn);
    const after = edit(object === undefined || target === undefined ? null : { object, target });
    for (const key of keys) objects.delete(key);
    targets.delete(iqn);
    if (after === null) continue;
    objects.set(`${after.object.plugin}/${iqn}`, after.object);
    targets.set(iqn, after.target);
  }
  const inOrder = (map: ReadonlyMap<string, Json>) =>
    [...map].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, each]) => each);
  const after = { fabric_modules: [], ...before, storage_objects: inOrder(objects), targets: inOrder(targets) };
  return `${JSON.stringify(after, null, 1)}\n`;
}

/** Lets an initiator in, or takes it out; null takes all out. */
export function editAcls(initiator: string | null, chap: Credentials | null): Edit {
  return (before) => {
    if (before === null) return null;
    const tpgs = (before.target.tpgs as readonly Json[]).map((tpg) => {
      const others = (tpg.node_acls as readonly Json[]).filter(
        (acl) => initiator !== null && acl.node_wwn !== initiator,
      );
      const acls = chap === null || initiator === null ? others : [...others, toAcl(initiator, chap)];
      return { ...tpg, node_acls: acls.toSorted((a, b) => (String(a.node_wwn) < String(b.node_wwn) ? -1 : 1)) };
    });
    return { ...before, target: { ...before.target, tpgs } };
  };
}

/** With what initiators and the target prove themselves; null where nobody has to. */
export interface Credentials {
  readonly chap: ChapCredentials | null;
  readonly mutualChap: ChapCredentials | null;
}

function toAcl(initiator: string, { chap, mutualChap }: Credentials): Json {
  return {
    attributes: {},
    ...(chap === null ? {} : { chap_userid: chap.username, chap_password: chap.password }),
    ...(mutualChap === null
      ? {}
      : { chap_mutual_userid: mutualChap.username, chap_mutual_password: mutualChap.password }),
    mapped_luns: [{ alias: UNIT_LINK, index: LUN, tpg_lun: LUN, write_protect: false }],
    node_wwn: initiator,
  };
}

function parse(text: string | null, path: string): File {
  if (text === null || text.trim() === '') return { storage_objects: [], targets: [] };
  try {
    const value = JSON.parse(text) as Partial<File> | null;
    const isList = (list: unknown) => list === undefined || Array.isArray(list);
    if (value !== null && typeof value === 'object' && isList(value.storage_objects) && isList(value.targets)) {
      return { ...value, storage_objects: value.storage_objects ?? [], targets: value.targets ?? [] };
    }
  } catch {
    // Said below.
  }
  throw failure('VolumeBackendAPIException', {
    reason: `${path} is not what targetcli writes. Move it away, or run 'targetcli saveconfig', then try again.`,
  });
}
