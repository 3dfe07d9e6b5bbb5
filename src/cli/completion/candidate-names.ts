import type { Client } from '../client.ts';
import { escapeControls } from '../render/text.ts';
import type { Candidate } from './analyze.ts';

/** More than this nobody reads at a prompt. */
const MOST_NAMES = 200;

interface Listed {
  readonly id: string;
  readonly name?: string | null;
  readonly status?: string;
  readonly volume_id?: string;
}

const lists: Readonly<Record<string, readonly [path: string, key: string, query?: Readonly<Record<string, string>>]>> =
  {
    volume: ['/volumes/detail', 'volumes'],
    snapshot: ['/snapshots/detail', 'snapshots'],
    type: ['/types', 'volume_types', { is_public: 'None' }],
    attachment: ['/attachments', 'attachments'],
  };

/**
 * Names of volumes, snapshots or types, ids of attachments. Where a name is missing, doubtful (several have it) or cannot
 * stand on a line, the id stands for it. Empty for an unknown kind.
 */
export async function candidateNames(client: Client, kind: string): Promise<readonly Candidate[]> {
  const list = lists[kind];
  if (list === undefined) return [];
  const [path, key, query] = list;
  const items = await client.list<Listed>(path, key, query, MOST_NAMES);
  return items.map(({ id, name, status, volume_id }) => {
    const isUsable =
      typeof name === 'string' &&
      name.trim() !== '' &&
      escapeControls(name) === name &&
      items.filter((other) => other.name === name).length === 1;
    const description = [isUsable ? '' : escapeControls(name ?? ''), status ?? '', volume_id ?? ''];
    return { word: isUsable ? name : id, description: description.filter((part) => part !== '').join(' ') };
  });
}
