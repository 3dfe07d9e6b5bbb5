/**
 * Start to service up, of the volume service: Ashlar's parent and child beside Debian's cinder-volume, in turns, on one
 * database and one broker; then what Ashlar's processes keep in memory when idle. From the bundle that ships (`npm run build`).
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { missingCinder, startCinderPeer } from '../../test/support/cinder-peer.ts';
import { BUNDLE } from '../../test/support/node-process.ts';

const ROUNDS = 5;
const IDLE_MS = 20_000;
const LIMIT_MS = 60_000;
/** What each prints when it takes requests. */
const ASHLAR_UP = /Ashlar volume is up/;
const CINDER_UP = /Driver post RPC initialization completed successfully/;

const why = missingCinder();
if (why !== null) throw new Error(why);
const bundle = process.env.ASHLAR_BUNDLE ?? BUNDLE;
const directory = await mkdtemp(join(tmpdir(), 'ashlar-bench-'));
const peer = await startCinderPeer({ host: 'peer' });
try {
  const database = openDatabase({ connection: peer.connection, maxPoolSize: 1 });
  await dbSync(database);
  await database.close();
  const { ashlar, cinder } = await writeConfigs();
  const seconds = { ashlar: [] as number[], cinder: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seconds.cinder.push(await startUp(cinder, CINDER_UP));
    seconds.ashlar.push(await startUp(ashlar, ASHLAR_UP));
  }
  const [ours, theirs] = [median(seconds.ashlar), median(seconds.cinder)];
  console.log(`start to service up, median of ${ROUNDS}, alternating:`);
  console.log(`  ashlar volume   ${ours.toFixed(2)} s   (${seconds.ashlar.map((s) => s.toFixed(2)).join(' ')})`);
  console.log(`  cinder-volume   ${theirs.toFixed(2)} s   (${seconds.cinder.map((s) => s.toFixed(2)).join(' ')})`);
  console.log(`  ratio           ${(ours / theirs).toFixed(2)}, goal 0.25 at most`);
  console.log(`memory (PSS), ${IDLE_MS / 1000} s after the start, idle:`);
  await startUp(ashlar, ASHLAR_UP, async (pid) => {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    console.log(`  parent          ${(await pssMib(pid)).toFixed(1)} MiB, goal 60`);
    for (const child of children)
      console.log(`  backend's child ${(await pssMib(Number(child))).toFixed(1)} MiB, goal 35`);
  });
} finally {
  await peer.close();
  await rm(directory, { recursive: true, force: true });
}

type Argv = readonly [string, ...string[]];

async function writeConfigs(): Promise<{ readonly ashlar: Argv; readonly cinder: Argv }> {
  const { host, port, user, password, database } = peer.connection as Readonly<Record<string, string | number>>;
  const login = `${encodeURIComponent(String(user))}:${encodeURIComponent(String(password))}`;
  const place = `${login}@/${database}?${new URLSearchParams({ host: String(host), port: String(port) })}`;
  const config = (name: string, url: string, backend: string) =>
    [
      '[DEFAULT]',
      `host = ${name}`,
      `transport_url = ${peer.transportUrl}`,
      `state_path = ${directory}`,
      'enabled_backends = one',
      ...(name === 'cinder' ? [] : [`log_file = ${join(directory, 'ashlar.log')}`]),
      '[database]',
      `connection = ${url}`,
      '[one]',
      backend,
      '',
    ].join('\n');
  const ashlarFile = join(directory, 'ashlar.conf');
  const cinderFile = join(directory, 'cinder.conf');
  await writeFile(
    ashlarFile,
    config('ashlar', `postgresql://${place}`, 'volume_driver = fake\ntarget_helper = fake\nvolume_backend_name = one'),
    { mode: 0o600 },
  );
  await writeFile(
    cinderFile,
    config(
      'cinder',
      `postgresql+psycopg2://${place}`,
      'volume_driver = cinder_peer_driver.NothingDriver\nvolume_backend_name = one',
    ),
    { mode: 0o600 },
  );
  return {
    ashlar: [process.execPath, bundle, 'volume', '--config-file', ashlarFile],
    cinder: ['/usr/bin/python3', '/usr/bin/cinder-volume', '--config-file', cinderFile],
  };
}

/** Seconds from the start to the words; then it is ended, and waited for. */
async function startUp(argv: Argv, words: RegExp, meanwhile: (pid: number) => Promise<void> = async () => {}) {
  const startedAtMs = performance.now();
  const child = spawn(argv[0], argv.slice(1), {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: fileURLToPath(new URL('../../test/support', import.meta.url)) },
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let text = '';
  try {
    const upAtMs = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not up in time:\n${text.slice(-5000)}`)), LIMIT_MS);
      const look = (chunk: Buffer) => {
        text += chunk;
        if (!words.test(text)) return;
        clearTimeout(timer);
        resolve(performance.now());
      };
      for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
      void exited.then(() => reject(new Error(`ended before it was up:\n${text.slice(-5000)}`)));
    });
    await meanwhile(child.pid!);
    return (upAtMs - startedAtMs) / 1000;
  } finally {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(killer);
  }
}

async function pssMib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)![1]) / 1024;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
