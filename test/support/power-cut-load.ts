/**
 * In the guest: a mixed load until the power is cut. Input: {port, seed, round, known}. Before and after each step the
 * object as it is then promised goes to the host, 10.0.2.2:port, as a line of JSON; the step waits for the host's answer.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { seeded } from './load.ts';
import { attach, io, type KnownObject, must, openApi, readInput, SPOTS, settled } from './power-cut-node.ts';

const WORKERS = 3;
const MOST_OF_A_WORKER = 3;
const SETTLE_LIMIT_MS = 120_000;
const HOST = '10.0.2.2';

const input = await readInput<{ port: number; seed: number; round: number; thick: boolean; known: KnownObject[] }>();
const api = await openApi();
const tell = await openJournal(input.port);
const byWorker = Array.from({ length: WORKERS }, () => [] as KnownObject[]);
for (const known of input.known) {
  if (known.presence === 'sure') byWorker[Number(/-w(\d+)-/.exec(known.name)![1])]!.push(known);
}
await Promise.all(byWorker.map((objects, worker) => work(worker, objects)));

async function work(worker: number, objects: KnownObject[]): Promise<never> {
  const random = seeded(input.seed * 1000 + input.round * 10 + worker);
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const volumes = () => objects.filter(({ kind, presence }) => kind === 'volume' && presence === 'sure');
  const snapshots = () => objects.filter(({ kind, presence }) => kind === 'snapshot' && presence === 'sure');
  const snapshotsOf = ({ name }: KnownObject) => snapshots().filter(({ of }) => of === name);
  const idle = () => volumes().filter(({ attachment }) => attachment === null);
  let made = 0;

  async function begin(kind: 'volume' | 'snapshot', like: Partial<KnownObject>): Promise<KnownObject> {
    const name = `r${input.round}-w${worker}-${++made}`;
    const known: KnownObject = {
      ...{ name, kind, id: null, presence: 'maybe', sizes: [1], bytes: {}, attachment: null, of: null },
      ...like,
    };
    objects.push(known);
    await tell(known);
    return known;
  }
  async function finish(known: KnownObject, path: string, key: string, body: object): Promise<void> {
    const answer = await must(api, 'POST', path, { [key]: { name: known.name, ...body } });
    known.id = answer[key].id as string;
    const status = await settled(api, known.kind, known.id, SETTLE_LIMIT_MS);
    if (status !== 'available') throw new Error(`${known.name} is ${status}`);
    known.presence = 'sure';
    await tell(known);
  }
  async function remove(known: KnownObject): Promise<void> {
    known.presence = 'maybe';
    await tell(known);
    await must(api, 'DELETE', `/${known.kind}s/${known.id}`);
    const status = await settled(api, known.kind, known.id!, SETTLE_LIMIT_MS);
    if (status !== null) throw new Error(`${known.name} was deleted and is ${status}`);
    known.presence = 'gone';
    await tell(known);
  }

  const actions: Readonly<Record<string, () => Promise<unknown>>> = {
    async create() {
      if (volumes().length >= MOST_OF_A_WORKER) return;
      await finish(await begin('volume', {}), '/volumes', 'volume', { size: 1 });
    },
    async clone() {
      const source = pick(volumes());
      if (source === undefined || volumes().length >= MOST_OF_A_WORKER) return;
      const like = { sizes: [...source.sizes], bytes: { ...source.bytes } };
      await finish(await begin('volume', like), '/volumes', 'volume', {
        source_volid: source.id,
        size: source.sizes[0],
      });
    },
    async snapshot() {
      const source = pick(volumes());
      if (source === undefined || snapshots().length >= 1) return;
      const like = { sizes: [...source.sizes], bytes: { ...source.bytes }, of: source.name };
      const body = { volume_id: source.id, force: true };
      await finish(await begin('snapshot', like), '/snapshots', 'snapshot', body);
    },
    async restore() {
      const source = pick(snapshots());
      if (source === undefined || volumes().length >= MOST_OF_A_WORKER) return;
      const like = { sizes: [...source.sizes], bytes: { ...source.bytes } };
      await finish(await begin('volume', like), '/volumes', 'volume', {
        snapshot_id: source.id,
        size: source.sizes[0],
      });
    },
    async delete() {
      const victim = pick(idle().filter((volume) => snapshotsOf(volume).length === 0));
      if (victim !== undefined && volumes().length > 1) await remove(victim);
    },
    async unsnapshot() {
      const victim = pick(snapshots());
      if (victim !== undefined) await remove(victim);
    },
    async extend() {
      const grown = pick(idle().filter((volume) => volume.sizes[0] === 1 && snapshotsOf(volume).length === 0));
      if (grown === undefined) return;
      grown.sizes = [1, 2];
      await tell(grown);
      await must(api, 'POST', `/volumes/${grown.id}/action`, { 'os-extend': { new_size: 2 } });
      await settled(api, 'volume', grown.id!, SETTLE_LIMIT_MS);
      grown.sizes = [2];
      await tell(grown);
    },
    async write() {
      const volume = pick(volumes());
      if (volume === undefined) return;
      if (volume.attachment === null) {
        volume.attachment = 'unsure';
        await tell(volume);
        volume.attachment = await attach(api, volume.id!);
        await tell(volume);
      }
      const spot = pick(SPOTS.filter((each) => each < volume.sizes[0]! * 1024))!;
      const byte = 1 + Math.floor(random() * 255);
      volume.bytes[spot] = null;
      await tell(volume);
      const { url } = volume.attachment as { url: string };
      const wrong = await io(url, `write -P ${byte} ${spot}M 64k`, 'flush');
      if (wrong !== null) throw new Error(`${volume.name}: ${wrong}`);
      volume.bytes[spot] = byte;
      await tell(volume);
    },
    async detach() {
      const volume = pick(volumes().filter(({ attachment }) => attachment !== null));
      if (volume === undefined) return;
      const { id } = volume.attachment as { id: string };
      volume.attachment = 'unsure';
      await tell(volume);
      await must(api, 'DELETE', `/attachments/${id}`);
      const status = await settled(api, 'volume', volume.id!, SETTLE_LIMIT_MS);
      if (status !== 'available') throw new Error(`${volume.name} was detached and is ${status}`);
      volume.attachment = null;
      await tell(volume);
    },
  };
  const names = [...Object.keys(actions), 'create', 'write', 'write'];
  while (true) await actions[pick(names)!]!();
}

/** Tells the host what is promised now; returns when it has written that down. */
async function openJournal(port: number): Promise<(known: KnownObject) => Promise<void>> {
  const socket = connect(port, HOST);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const waiting: (() => void)[] = [];
  createInterface({ input: socket }).on('line', () => waiting.shift()?.());
  return (known) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      socket.write(`${JSON.stringify(known)}\n`);
    });
}
