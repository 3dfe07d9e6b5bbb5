/**
 * In the guest, after the power is back and the node is up: holds everything to what was promised. Input: {round, known};
 * prints {problems, known, figures}, `known` being what the next round begins with.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type Api,
  attach,
  io,
  type KnownObject,
  must,
  openApi,
  readInput,
  readsOf,
  settled,
} from './power-cut-node.ts';

const run = promisify(execFile);
const GROUP = 'ashlar-volumes';
const SETTLE_LIMIT_MS = 180_000;
const WIPE_LIMIT_MS = 120_000;
const READERS = 3;

const { known, round } = await readInput<{ round: number; known: KnownObject[] }>();
const problems: string[] = [];
const figures = { exportsServed: 0, kept: 0, came: 0, went: 0, failed: 0, bytesRead: 0 };
const api = await openApi();
await exportsAreServed();
const found = await listEverything(api);
for (const object of known) await matches(object);
const names = new Set(known.map(({ name }) => name));
for (const { name, id } of found) if (!names.has(name)) problems.push(`nobody asked for ${name} (${id})`);
await failedOnesCanBeDeleted();
await bytesAreThere();
await aNewVolumeIsEmpty();
await nothingIsLeftOver();
const next = known.filter(({ presence }) => presence === 'sure');
console.log(JSON.stringify({ problems, figures, known: next }));

/** What was attached is there under the same name and password, with its bytes, before anybody asks. */
async function exportsAreServed(): Promise<void> {
  for (const object of known) {
    const { attachment, presence, sizes } = object;
    if (presence !== 'sure' || attachment === null || attachment === 'unsure') continue;
    figures.exportsServed += 1;
    await reads(object, attachment.url, Math.min(...sizes), 'its export, after the start');
  }
}

async function reads(object: KnownObject, url: string, sizeGb: number, where: string): Promise<void> {
  const commands = readsOf(object, sizeGb);
  figures.bytesRead += commands.length;
  const wrong = commands.length === 0 ? null : await io(url, ...commands);
  if (wrong !== null) problems.push(`${object.name} (${object.id}), ${where}: ${commands.join('; ')}: ${wrong}`);
}

interface Found {
  readonly kind: 'volume' | 'snapshot';
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly sizeGb: number;
}

async function listEverything(from: Api): Promise<Found[]> {
  const all: Found[] = [];
  for (const kind of ['volume', 'snapshot'] as const) {
    const { body } = await from.send('GET', `/${kind}s/detail`);
    for (const { id, name, size } of body[`${kind}s`] as { id: string; name: string; size: number }[]) {
      const status = await settled(from, kind, id, SETTLE_LIMIT_MS).catch((error: Error) => error.message);
      const { body: now } = await from.send('GET', `/${kind}s/${id}`);
      if (status !== null) all.push({ kind, id, name, status, sizeGb: now[kind]?.size ?? size });
    }
  }
  return all;
}

/** What is there against what was promised; afterwards nothing of it is in doubt any more. */
async function matches(object: KnownObject): Promise<void> {
  const same = found.filter(({ kind, name }) => kind === object.kind && name === object.name);
  const [one] = same;
  const say = (what: string) => problems.push(`${object.kind} ${object.name} (${object.id}): ${what}`);
  if (same.length > 1) say(`is there ${same.length} times`);
  if (object.presence === 'gone') {
    if (one !== undefined) say(`was deleted and is ${one.status}`);
    return;
  }
  if (one === undefined) {
    if (object.presence === 'sure') say('is lost');
    else figures.went += 1;
    object.presence = 'gone';
    return;
  }
  const good =
    object.attachment === null ? ['available'] : object.attachment === 'unsure' ? ['available', 'in-use'] : ['in-use'];
  if (object.presence === 'maybe' && one.status === 'error') {
    figures.failed += 1;
    object.id = one.id;
    return;
  }
  if (!good.includes(one.status)) say(`is ${one.status}, not ${good.join(' or ')}`);
  if (!object.sizes.includes(one.sizeGb)) say(`has ${one.sizeGb} GiB, not ${object.sizes.join(' or ')}`);
  figures[object.presence === 'sure' ? 'kept' : 'came'] += 1;
  Object.assign(object, { id: one.id, presence: 'sure', sizes: [one.sizeGb] });
  if (object.attachment === 'unsure') await detachAll(one.id);
  if (object.attachment === 'unsure') object.attachment = null;
}

/** An attachment of which nobody heard the answer: whoever asked for it ends it. */
async function detachAll(id: string): Promise<void> {
  const { body } = await api.send('GET', '/attachments/detail');
  const all = (body.attachments ?? []) as { id: string; volume_id: string }[];
  for (const each of all.filter(({ volume_id }) => volume_id === id))
    await must(api, 'DELETE', `/attachments/${each.id}`);
  const status = await settled(api, 'volume', id, SETTLE_LIMIT_MS);
  if (status !== 'available') problems.push(`volume ${id} was detached and is ${status}`);
}

async function failedOnesCanBeDeleted(): Promise<void> {
  for (const object of known.filter(({ presence }) => presence === 'maybe')) {
    await must(api, 'DELETE', `/${object.kind}s/${object.id}`);
    const status = await settled(api, object.kind, object.id!, SETTLE_LIMIT_MS);
    if (status !== null) problems.push(`${object.kind} ${object.name} had failed, was deleted and is ${status}`);
    object.presence = 'gone';
  }
}

/** Of every volume that is not exported, and of a volume made from each snapshot. */
async function bytesAreThere(): Promise<void> {
  const waiting = known.filter(({ presence, attachment }) => presence === 'sure' && attachment === null);
  const worker = async () => {
    for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
      const expected = object;
      if (object.kind === 'volume') await readOnce(object, object.id!);
      else await withVolume({ snapshot_id: object.id }, (id) => readOnce(expected, id));
    }
  };
  await Promise.all(Array.from({ length: READERS }, worker));
}

/** Where a new volume takes blocks that others gave back, it shows zeros: at the spots, and in what is behind them. */
async function aNewVolumeIsEmpty(): Promise<void> {
  const nothing: KnownObject = {
    ...{ name: `empty-${round}`, kind: 'volume', id: null, presence: 'sure', sizes: [1] },
    ...{ bytes: {}, attachment: null, of: null },
  };
  await withVolume({ size: 1 }, async (id) => {
    // A write of one sector takes a whole block of a thin pool: the rest of it is zeros.
    const { id: attachment, url } = await attach(api, id);
    const wrong = await io(url, 'read -P 0 0 8M', 'write -P 0x77 64M 512', 'flush', `read -P 0 ${64 * 1024 + 1}k 1M`);
    if (wrong !== null) problems.push(`a new volume is not empty: ${wrong}`);
    await must(api, 'DELETE', `/attachments/${attachment}`);
    await settled(api, 'volume', id, SETTLE_LIMIT_MS);
    await readOnce(nothing, id);
  });
}

async function readOnce(object: KnownObject, id: string): Promise<void> {
  const { id: attachment, url } = await attach(api, id);
  await reads(object, url, object.sizes[0]!, 'exported anew');
  await must(api, 'DELETE', `/attachments/${attachment}`);
  await settled(api, 'volume', id, SETTLE_LIMIT_MS);
}

async function withVolume(from: object, use: (id: string) => Promise<void>): Promise<void> {
  const { status, body } = await api.send('POST', '/volumes', { volume: { name: 'verification', ...from } });
  if (status !== 202) return void problems.push(`a volume of ${JSON.stringify(from)}: ${JSON.stringify(body)}`);
  const id = body.volume.id as string;
  const now = await settled(api, 'volume', id, SETTLE_LIMIT_MS);
  if (now === 'available') await use(id);
  else problems.push(`a volume of ${JSON.stringify(from)} is ${now}`);
  await must(api, 'DELETE', `/volumes/${id}`);
  const end = await settled(api, 'volume', id, SETTLE_LIMIT_MS);
  if (end !== null) problems.push(`the volume of the verification was deleted and is ${end}`);
}

/** LVs and targets are those of what is known, and no others. */
async function nothingIsLeftOver(): Promise<void> {
  const sure = known.filter(({ presence }) => presence === 'sure');
  const wanted = sure.map(({ kind, id }) => (kind === 'volume' ? `volume-${id}` : `_snapshot-${id}`)).sort();
  const deadline = performance.now() + WIPE_LIMIT_MS;
  let lvs: string[] = [];
  while (true) {
    const { stdout } = await run('lvs', ['--noheadings', '--options', 'lv_name', GROUP]);
    lvs = stdout
      .split(/\s+/)
      .filter((name) => name !== '' && name !== `${GROUP}-pool`)
      .sort();
    if (lvs.join() === wanted.join() || performance.now() > deadline) break;
    await sleep(1000);
  }
  if (lvs.join() !== wanted.join()) problems.push(`LVs: ${lvs.join(' ')}; expected ${wanted.join(' ')}`);
  const { stdout } = await run('tgtadm', ['-C', '1', '--lld', 'iscsi', '--op', 'show', '--mode', 'target'], {
    env: { ...process.env, TGT_IPC_SOCKET: '/var/lib/ashlar/run/tgtd' },
  });
  const targets = [...stdout.matchAll(/^Target \d+: \S+:(\S+)$/gm)].map(([, name]) => name!).sort();
  const exported = sure
    .filter(({ attachment }) => attachment !== null)
    .map(({ id }) => `volume-${id}`)
    .sort();
  if (targets.join() !== exported.join()) {
    problems.push(`targets: ${targets.join(' ')}; expected ${exported.join(' ')}`);
  }
}
