import { type Client, path } from './client.ts';
import { CliFailure, EXIT } from './exit-codes.ts';
import type { AttachmentJson, SnapshotJson, TypeJson, VolumeJson } from './resources.ts';

interface Named {
  readonly id: string;
  readonly name: string | null;
}

interface Kind {
  /** For sentences, and the noun of the command that lists them. */
  readonly noun: 'volume' | 'snapshot' | 'type';
  one(id: string): string;
  readonly oneKey: string;
  readonly all: string;
  readonly allKey: string;
  filter(name: string): Readonly<Record<string, string>>;
}

const volumes: Kind = {
  noun: 'volume',
  one: (id) => path`/volumes/${id}`,
  oneKey: 'volume',
  all: '/volumes/detail',
  allKey: 'volumes',
  filter: (name) => ({ name }),
};

const snapshots: Kind = {
  noun: 'snapshot',
  one: (id) => path`/snapshots/${id}`,
  oneKey: 'snapshot',
  all: '/snapshots/detail',
  allKey: 'snapshots',
  filter: (name) => ({ name }),
};

const types: Kind = {
  noun: 'type',
  one: (id) => path`/types/${id}`,
  oneKey: 'volume_type',
  all: '/types',
  allKey: 'volume_types',
  // Private types are listed only when both kinds are asked for.
  filter: () => ({ is_public: 'None' }),
};

/** The volume that a name or an id means. */
export function findVolume(client: Client, nameOrId: string): Promise<VolumeJson> {
  return find<VolumeJson>(client, volumes, nameOrId);
}

/** The snapshot that a name or an id means. */
export function findSnapshot(client: Client, nameOrId: string): Promise<SnapshotJson> {
  return find<SnapshotJson>(client, snapshots, nameOrId);
}

/** The volume type that a name or an id means. */
export function findType(client: Client, nameOrId: string): Promise<TypeJson> {
  return find<TypeJson>(client, types, nameOrId);
}

/** The attachment of an id; attachments have no names, but a volume's name or id means its only attachment. */
export async function findAttachment(client: Client, idOrVolume: string): Promise<AttachmentJson> {
  const found = looksLikeId(idOrVolume) ? await getAttachment(client, idOrVolume) : null;
  if (found !== null) return found;
  const volume = await find<VolumeJson>(client, volumes, idOrVolume, 'attachment, and no volume,');
  const all = await client.list<AttachmentJson>('/attachments', 'attachments', { volume_id: volume.id });
  const [first, ...more] = all.filter(({ volume_id }) => volume_id === volume.id);
  if (first === undefined) throw new CliFailure(EXIT.notFound, `Volume ${idOrVolume} has no attachment.`);
  if (more.length > 0) throw ambiguous('attachments', idOrVolume, [first, ...more]);
  const whole = await getAttachment(client, first.id);
  if (whole === null) throw new CliFailure(EXIT.notFound, `The attachment of ${idOrVolume} went away meanwhile.`);
  return whole;
}

async function getAttachment(client: Client, id: string): Promise<AttachmentJson | null> {
  return await orNull(client.get<AttachmentJson>(path`/attachments/${id}`, 'attachment'));
}

async function find<T extends Named>(client: Client, kind: Kind, nameOrId: string, label?: string): Promise<T> {
  if (nameOrId.trim() === '') throw new CliFailure(EXIT.usage, `The name of a ${kind.noun} cannot be empty.`);
  if (looksLikeId(nameOrId)) {
    const item = await orNull(client.get<T>(kind.one(nameOrId), kind.oneKey));
    if (item !== null) return item;
  }
  const items = await client.list<T>(kind.all, kind.allKey, kind.filter(nameOrId));
  const [first, ...more] = items.filter(({ name }) => name === nameOrId);
  if (first === undefined) {
    const message = `There is no ${label ?? kind.noun} with the name or id '${nameOrId}'. See: ashlar ${kind.noun} list`;
    throw new CliFailure(EXIT.notFound, message);
  }
  if (more.length > 0) throw ambiguous(`${kind.noun}s`, nameOrId, [first, ...more]);
  return first;
}

function ambiguous(nouns: string, name: string, items: readonly { readonly id: string }[]): CliFailure {
  const ids = items.map(({ id }) => id).join(', ');
  return new CliFailure(EXIT.notFound, `'${name}' means ${items.length} ${nouns}: ${ids}. Give the id of one.`);
}

/** A uuid, with or without its hyphens. Such a text is tried as an id first, then as a name. */
export function looksLikeId(text: string): boolean {
  return /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text);
}

/** Null in place of "not found". */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliFailure && error.exitCode === EXIT.notFound) return null;
    throw error;
  }
}
