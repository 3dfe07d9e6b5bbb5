/**
 * What a request costs over the wire: Ashlar's volume service, Debian's cinder-volume and a bare loop of AMQP and SQL in
 * turns, on one broker and one database, asked by one client; drivers that do nothing. From the bundle that ships.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { type CinderPeer, missingCinder, startCinderPeer } from '../../test/support/cinder-peer.ts';
import { BUNDLE, eventually } from '../../test/support/node-process.ts';
import { type RoleProcess, renderConfig, startRole, untilSaid } from '../../test/support/role-bed.ts';
import { type Client, openClient } from './client.ts';
import { capabilities, connections, type Figure, insertVolumes, type Subject, volumes } from './measure.ts';

const ROUNDS = 2;
/** The peer does forty creates a second. */
const COUNTS = {
  serial: { peer: 15, ours: 60, floor: 100 },
  waves: { peer: 75, ours: 400, floor: 600 },
  questions: { peer: 400, ours: 2000, floor: 3000 },
  connections: { peer: 60, ours: 400, floor: 1000 },
} as const;
const OUTSTANDING = 50;
const CONNECTED = 16;

/** What was to be reached: times the peer's. `of` says of what. */
const GOALS: readonly (readonly [name: string, of: 'latency' | 'rate', times: number | null])[] = [
  ['create_volume, one by one', 'latency', 8],
  [`create_volume, ${OUTSTANDING} under way`, 'rate', 20],
  ['delete_volume, one by one', 'latency', null],
  [`delete_volume, ${OUTSTANDING} under way`, 'rate', null],
  ['get_capabilities at 1', 'latency', 2],
  ['get_capabilities at 8', 'rate', null],
  ['get_capabilities at 64', 'rate', 5],
  ['initialize_connection at 1', 'latency', 5],
  ['initialize_connection at 8', 'rate', 10],
];

const why = missingCinder();
if (why !== null) throw new Error(why);
const bundle = process.env.ASHLAR_BUNDLE ?? BUNDLE;
if (!existsSync(bundle)) throw new Error(`${bundle} is missing: npm run build`);
const directory = await mkdtemp(join(tmpdir(), 'ashlar-bench-'));
const figures = new Map<string, Map<Subject['name'], Figure[]>>(GOALS.map(([name]) => [name, new Map()]));
const peer = await startCinderPeer({ host: 'peer' });
let role: RoleProcess | undefined;
let floor: ChildProcess | undefined;
let client: Client | undefined;
try {
  // They only take processor time here.
  await Promise.all([peer.end('cinder-api'), peer.end('cinder-scheduler')]);
  const database = openDatabase({ connection: peer.connection, maxPoolSize: 1 });
  await dbSync(database);
  await database.close();
  role = await startOurs(peer);
  floor = fork(fileURLToPath(new URL('floor.ts', import.meta.url)), [
    ...[peer.transportUrl, JSON.stringify(peer.connection), 'floor@one'],
  ]);
  await once(floor, 'message');
  client = await openClient(peer.transportUrl, peer.connection);
  const found = await client.sql.query("select id from volume_types where name = '__DEFAULT__' and not deleted");
  const typeId: string = found.rows[0].id;
  const subjects: readonly Subject[] = [
    { name: 'peer', service: 'peer@fake', pool: 'peer@fake#fake', typeId, pid: await pidOf('cinder-volume') },
    {
      name: 'ours',
      service: 'ours@one',
      pool: 'ours@one#one',
      typeId,
      pid: (await role.children()).get('ashlar volume: one')!,
    },
    { name: 'floor', service: 'floor@one', pool: 'floor@one#one', typeId, pid: floor.pid! },
  ];
  for (let round = 0; round <= ROUNDS; round += 1) {
    // The first is to warm up.
    for (const subject of subjects) await measureAll(client, subject, round > 0);
  }
  report();
} finally {
  await client?.close();
  floor?.kill('SIGKILL');
  role?.kill('SIGTERM');
  await role?.exited;
  await peer.close();
  await rm(directory, { recursive: true, force: true });
}

async function measureAll(client: Client, subject: Subject, isCounted: boolean): Promise<void> {
  const names = GOALS.map(([name]) => name);
  const note = (figure: Figure) => {
    const name = names.shift()!;
    const bySubject = figures.get(name)!;
    if (isCounted) bySubject.set(subject.name, [...(bySubject.get(subject.name) ?? []), figure]);
  };
  const count = (what: keyof typeof COUNTS) => Math.ceil(COUNTS[what][subject.name] / (isCounted ? 1 : 4));
  const ids = await insertVolumes(client, subject, count('serial') + count('waves'));
  const [serial, wave] = [ids.slice(0, count('serial')), ids.slice(count('serial'))];
  const ask = async (method: 'create_volume' | 'delete_volume', of: readonly string[], atOnce: number) => {
    const { figure, done } = await volumes(client, subject, method, of, atOnce);
    note(figure);
    return done;
  };
  const one = await ask('create_volume', serial, 1);
  const many = await ask('create_volume', wave, OUTSTANDING);
  await ask('delete_volume', one, 1);
  await ask('delete_volume', many, OUTSTANDING);
  for (const atOnce of [1, 8, 64]) note(await capabilities(client, subject, count('questions'), atOnce));
  const connected = await insertVolumes(client, subject, CONNECTED);
  await volumes(client, subject, 'create_volume', connected, CONNECTED);
  for (const atOnce of [1, 8]) note(await connections(client, subject, connected, count('connections'), atOnce));
}

function report(): void {
  console.log(`medians of ${ROUNDS} rounds; milliseconds one by one, else a second. cpu: ms of the service for each`);
  const cells = (values: readonly string[]) =>
    values.map((value, index) => (index === 0 ? value.padEnd(32) : value.padStart(9))).join(' ');
  console.log(
    cells(['', 'peer', 'ours', 'floor', 'times', 'goal', 'p99 peer', 'p99 ours', 'cpu peer', 'cpu ours', 'cpu floor']),
  );
  for (const [name, of, goal] of GOALS) {
    const [theirs, ours, least] = (['peer', 'ours', 'floor'] as const).map((each) =>
      typical(figures.get(name)!.get(each)!),
    );
    const value = ({ medianMs, perSecond }: Figure) => (of === 'latency' ? medianMs.toFixed(2) : perSecond.toFixed(0));
    const times = of === 'latency' ? theirs!.medianMs / ours!.medianMs : ours!.perSecond / theirs!.perSecond;
    const cpu = [theirs!, ours!, least!].map(({ cpuMs }) => cpuMs.toFixed(2));
    console.log(
      cells([
        ...[name, value(theirs!), value(ours!), value(least!), times.toFixed(1), goal === null ? '' : String(goal)],
        ...[theirs!.p99Ms.toFixed(1), ours!.p99Ms.toFixed(1), ...cpu],
      ]),
    );
  }
}

function typical(all: readonly Figure[]): Figure {
  const median = (key: keyof Figure) => all.map((figure) => figure[key]).sort((a, b) => a - b)[all.length >> 1]!;
  return {
    medianMs: median('medianMs'),
    p99Ms: median('p99Ms'),
    perSecond: median('perSecond'),
    cpuMs: median('cpuMs'),
  };
}

async function startOurs({ connection, transportUrl }: CinderPeer): Promise<RoleProcess> {
  const { host, port, user, password, database } = connection as Readonly<Record<string, string | number>>;
  const login = `${encodeURIComponent(String(user))}:${encodeURIComponent(String(password))}`;
  const place = `${login}@/${database}?${new URLSearchParams({ host: String(host), port: String(port) })}`;
  const configFile = join(directory, 'ashlar.conf');
  const config = renderConfig({
    DEFAULT: {
      ...{ host: 'ours', enabled_backends: 'one', state_path: directory, transport_url: transportUrl },
      log_file: join(directory, 'ashlar.log'),
    },
    database: { connection: `postgresql://${place}` },
    one: { volume_driver: 'fake', target_helper: 'fake', volume_backend_name: 'one' },
  });
  await writeFile(configFile, config, { mode: 0o600 });
  const started = startRole('volume', [configFile], { program: bundle });
  await untilSaid(started, /Ashlar volume is up: up: one/, 60_000);
  return started;
}

/** The service's worker: the child of the process that was started. */
async function pidOf(service: string): Promise<number> {
  return await eventually(`the worker of ${service}`, async () => {
    const all = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(lineOf));
    const named = all.filter(({ line }) => line.includes(`/${service}`) && line.includes(configFileOf(peer)));
    return named.find(({ parent }) => named.some(({ pid }) => pid === parent))?.pid;
  });
}

async function lineOf(name: string) {
  const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
  const [line, stat] = await Promise.all([read('cmdline'), read('stat')]);
  return { pid: Number(name), line, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
}

function configFileOf({ configFile }: CinderPeer): string {
  return configFile;
}
