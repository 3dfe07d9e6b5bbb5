/** The privileged helper beside its floor, a plain spawn, and its peer, oslo.rootwrap: alternating, in one run. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathOf } from '../../src/exec/executor.ts';
import { createHelperExecutor } from '../../src/exec/helper-executor.ts';
import { installHelper, whyNoHelper } from '../../test/support/installed-helper.ts';
import { recorderLog } from '../../test/support/recorder-log.ts';

const SERIAL = 300;
const ONE_SHOT = 15;
const WAVE_MS = 2_500;
const WAVES = 3;
const LARGE_BYTES = 500 * 1024 * 1024;
const FILTERS = '[Filters]\ntrue: ArgvFilter, true, root, true\n';
const PEER_FILTERS = '[Filters]\ntrue: CommandFilter, true, root\n';

const why = whyNoHelper();
if (why !== null) throw new Error(why);
const helper = await installHelper({}, { 'bench.filters': FILTERS });
const executor = createHelperExecutor({
  command: [helper.program, helper.config],
  ask: null,
  lifetime: 'service',
  atOnce: 16,
  log: { ...recorderLog(), debug() {} },
});
const viaHelper = async () => void (await executor.run({ argv: ['true'], privileged: true, timeoutMs: 10_000 }));
const plain = () =>
  new Promise<void>((resolve) =>
    spawn('/usr/bin/true', { stdio: ['ignore', 'pipe', 'pipe'] }).once('close', () => resolve()),
  );

try {
  await viaHelper();
  await compareSerial('small process');
  const ballast = Buffer.alloc(LARGE_BYTES, 1);
  await compareSerial(`large process (${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB)`);
  for (const atOnce of [1, 8]) {
    const rates = { plain: [] as number[], helper: [] as number[] };
    for (let wave = 0; wave < WAVES; wave += 1) {
      rates.plain.push(await rate(plain, atOnce));
      rates.helper.push(await rate(viaHelper, atOnce));
    }
    console.log(
      `${atOnce} at once, large process: plain spawn ${median(rates.plain).toFixed(0)}/s, daemon ${median(rates.helper).toFixed(0)}/s`,
    );
  }
  if (ballast[0] !== 1) throw new Error('unreachable; keeps the ballast');
  oneShot();
} finally {
  executor.close();
  await helper.close();
}

async function compareSerial(where: string): Promise<void> {
  const times = { plain: [] as number[], helper: [] as number[] };
  for (let round = 0; round < SERIAL; round += 1) {
    times.plain.push(await timed(plain));
    times.helper.push(await timed(viaHelper));
  }
  const [floor, daemon] = [median(times.plain), median(times.helper)];
  console.log(
    `one by one, ${where}: plain spawn ${floor.toFixed(2)} ms, daemon ${daemon.toFixed(2)} ms (medians; ${(daemon - floor).toFixed(2)} more)`,
  );
}

async function rate(work: () => Promise<void>, atOnce: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (; performance.now() - start < WAVE_MS; done += 1) await work();
    }),
  );
  return (done / (performance.now() - start)) * 1000;
}

function oneShot(): void {
  // The same code as cinder-rootwrap, which only names its package.
  const peer = ['cinder-rootwrap', 'oslo-rootwrap'].find((name) => pathOf(name) !== null);
  const peerDirectory = join(helper.directory, 'peer');
  const filters = join(peerDirectory, 'rootwrap.d');
  mkdirSync(filters, { recursive: true });
  writeFileSync(join(filters, 'true.filters'), PEER_FILTERS);
  const peerConfig = join(peerDirectory, 'rootwrap.conf');
  writeFileSync(peerConfig, `[DEFAULT]\nfilters_path=${filters}\nexec_dirs=/usr/sbin,/usr/bin,/sbin,/bin\n`);
  const times = { own: [] as number[], peer: [] as number[], sudo: [] as number[] };
  const run = (...argv: string[]) => {
    const start = performance.now();
    const { status } = spawnSync('sudo', ['-n', '--', ...argv], { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
    return performance.now() - start;
  };
  for (let round = 0; round < ONE_SHOT; round += 1) {
    times.sudo.push(run('/usr/bin/true'));
    times.own.push(run(helper.program, helper.config, 'true'));
    if (peer !== undefined) times.peer.push(run(pathOf(peer)!, peerConfig, 'true'));
  }
  const own = median(times.own);
  const said =
    peer === undefined
      ? 'no peer: apt-get install python3-oslo.rootwrap'
      : `${peer} ${median(times.peer).toFixed(0)} ms, ${(median(times.peer) / own).toFixed(1)} times`;
  console.log(`one-shot by sudo: ${own.toFixed(0)} ms; sudo alone ${median(times.sudo).toFixed(0)} ms; ${said}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
