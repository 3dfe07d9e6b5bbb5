/** Random requests against a node's API, and the memory of what was promised. */
import { type ApiClient, eventually } from './node-process.ts';

/** What the API has said yes to. */
export interface Promises {
  readonly made: Set<string>;
  /** Deletes that were answered 202. */
  readonly deleted: Set<string>;
  /** Deletes of which the answer never came: they may have been taken or not. */
  readonly unclear: Set<string>;
}

export interface Load {
  readonly volumes: Promises;
  readonly snapshots: Promises;
  /** Answers that no request should get, whatever the state of things. */
  readonly wrong: string[];
  /** How many requests of each kind were answered. */
  readonly counts: Map<string, number>;
  /** Sends requests until told to stop; resolves when the last is answered or has failed. */
  run(node: ApiClient, signal: AbortSignal): Promise<void>;
}

const WIDTH = 6;
/** More would only make the run longer. */
const MOST_VOLUMES = 40;
const CONNECTOR = { initiator: 'iqn.2004-10.com.example:load', host: 'load', ip: '127.0.0.1' };

/** `sources` are volumes that are copied and snapshotted, and else left alone. */
export function createLoad(random: () => number, sources: readonly string[]): Load {
  const volumes = { made: new Set<string>(), deleted: new Set<string>(), unclear: new Set<string>() };
  const snapshots = { made: new Set<string>(), deleted: new Set<string>(), unclear: new Set<string>() };
  const attachments = new Map<string, string>();
  const wrong: string[] = [];
  const counts = new Map<string, number>();
  const pick = <T>(items: Iterable<T>): T | undefined => {
    const all = [...items];
    return all[Math.floor(random() * all.length)];
  };
  const living = ({ made, deleted }: Promises) => [...made].filter((id) => !deleted.has(id));

  async function send(node: ApiClient, kind: string, method: string, path: string, body?: unknown) {
    const answer = await node.request(method, path, body);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (answer.status >= 500 && answer.status !== 503) wrong.push(`${kind}: ${JSON.stringify(answer)}`);
    return answer;
  }
  async function make(node: ApiClient, kind: string, body: object) {
    if (living(volumes).length >= MOST_VOLUMES) return remove(node);
    const answer = await send(node, kind, 'POST', '/volumes', { volume: { name: 'load', ...body } });
    if (answer.status === 202) volumes.made.add(answer.body.volume.id);
  }
  async function drop(node: ApiClient, kind: string, path: string, { deleted, unclear }: Promises, id: string) {
    const { status } = await send(node, kind, 'DELETE', `/${path}/${id}`).catch((error: unknown) => {
      unclear.add(id);
      throw error;
    });
    if (status === 202) deleted.add(id);
  }
  async function remove(node: ApiClient) {
    const id = pick(living(volumes));
    if (id !== undefined) await drop(node, 'delete', 'volumes', volumes, id);
  }

  const actions: readonly ((node: ApiClient) => Promise<unknown>)[] = [
    (node) => make(node, 'create', { size: 1 }),
    (node) => make(node, 'clone', { source_volid: pick(sources) }),
    async (node) => {
      const id = pick(living(snapshots));
      if (id !== undefined) await make(node, 'create from snapshot', { snapshot_id: id });
    },
    remove,
    async (node) => {
      const id = pick([...living(volumes), ...sources]);
      if (id === undefined) return;
      const body = { snapshot: { volume_id: id, force: true } };
      const answer = await send(node, 'snapshot', 'POST', '/snapshots', body);
      if (answer.status === 202) snapshots.made.add(answer.body.snapshot.id);
    },
    async (node) => {
      const id = pick(living(snapshots));
      if (id !== undefined) await drop(node, 'delete snapshot', 'snapshots', snapshots, id);
    },
    async (node) => {
      const id = pick(living(volumes));
      const body = { 'os-extend': { new_size: 2 + Math.floor(random() * 2) } };
      if (id !== undefined) await send(node, 'extend', 'POST', `/volumes/${id}/action`, body);
    },
    async (node) => {
      const id = pick(living(volumes));
      if (id === undefined) return;
      const body = { attachment: { volume_uuid: id, connector: CONNECTOR } };
      const answer = await send(node, 'attach', 'POST', '/attachments', body);
      if (answer.status === 200) attachments.set(answer.body.attachment.id, id);
    },
    async (node) => {
      const id = pick(attachments.keys());
      if (id === undefined) return;
      await send(node, 'detach', 'DELETE', `/attachments/${id}`);
      attachments.delete(id);
    },
  ];

  return {
    volumes,
    snapshots,
    wrong,
    counts,
    async run(node, signal) {
      const worker = async () => {
        while (!signal.aborted) {
          // A node that is gone answers nothing: the next one is asked about what became of it.
          await pick(actions)!(node).catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
        }
      };
      await Promise.all(Array.from({ length: WIDTH }, worker));
    },
  };
}

/** The same numbers for the same seed: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ends every use and deletes everything, by the API, as an operator would. */
export async function deleteEverything(node: ApiClient): Promise<void> {
  const list = async (path: string, key: string): Promise<{ id: string }[]> =>
    (await node.request('GET', path)).body[key] as { id: string }[];
  for (const { id } of await list('/attachments', 'attachments')) await node.request('DELETE', `/attachments/${id}`);
  for (const { id } of await list('/snapshots', 'snapshots')) await node.request('DELETE', `/snapshots/${id}`);
  await eventually('the snapshots to go', async () =>
    (await list('/snapshots', 'snapshots')).length === 0 ? true : undefined,
  );
  for (const { id } of await list('/volumes', 'volumes')) await node.request('DELETE', `/volumes/${id}`);
  await eventually('the volumes to go', async () =>
    (await list('/volumes', 'volumes')).length === 0 ? true : undefined,
  );
}
