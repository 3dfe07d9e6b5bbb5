/**
 * Runs the checks and the tests and closes with one line of counts. Exit code 0 only when nothing failed and something
 * ran. Arguments: test files to run instead of all; or --long, for all with the long lanes.
 */
import { spawnSync } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const argv = process.argv.slice(2);
const isLong = argv.includes('--long');
const named = argv.filter((word) => word !== '--long');
/** A file that hangs must not eat the whole run. */
const FILE_TIMEOUT_MS = (isLong ? 120 : 12) * 60_000;
/**
 * The kernel lane emulates a machine, and so has long matrices; most of the peer lane compares at length, chaos is a random
 * load, brokers take their time to die and to come back.
 */
const LONG_LANES = [
  ...['node', 'lvm-whole', 'targets-whole', 'targets-restart', 'power-cut', 'unprivileged'].map(
    (name) => `test/kernel/${name}.test.ts`,
  ),
  ...['handover', 'rest-parity', 'sent-messages'].map((name) => `test/peer/${name}.test.ts`),
  ...['test/integration/node/chaos.test.ts', 'test/integration/rpc/amqp-recovery.test.ts'],
  ...['why-across', 'kills-long', 'drains', 'standstill'].map((name) => `test/integration/service/${name}.test.ts`),
  'test/integration/outage/long.test.ts',
];

const counts = { passed: 0, failed: 0, skipped: 0 };
const skips: string[] = [];
const startedAtMs = Date.now();
if (named.length === 0) {
  for (const [name, ...argv] of [
    ['types', 'tsc', '--noEmit'],
    ['style', 'biome', 'check', '--error-on-warnings', '.'],
    ['unused code', 'knip', '--no-progress'],
  ] as const) {
    const { status } = spawnSync(`node_modules/.bin/${argv[0]}`, argv.slice(1), { stdio: 'inherit' });
    console.log(`${status === 0 ? '✔' : '✖'} ${name}: ${argv.join(' ')}`);
    if (status === 0) counts.passed += 1;
    else counts.failed += 1;
  }
}

const found = named.length > 0 ? named : await testFiles();
// Counted as skipped, file by file, where nobody asked for them.
const isLongFile = (file: string) => LONG_LANES.some((lane) => file.startsWith(lane));
const files = named.length > 0 || isLong ? found : found.filter((file) => !isLongFile(file));
for (const file of found.filter((each) => !files.includes(each))) {
  counts.skipped += 1;
  skips.push(`${file}: this lane takes long; npm run test:long runs it`);
}
// Two at a time: the tests start servers of their own, and share few cores.
const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS, cwd: root });
// The runner counts a file that could not be loaded as a failed test of that file's name, so nothing is lost here.
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip === undefined && event.todo === undefined) counts.passed += 1;
  else {
    counts.skipped += 1;
    skips.push(`${event.name}: ${event.skip ?? event.todo}`);
  }
});
stream.on('test:fail', (event) => {
  if (event.todo !== undefined) counts.skipped += 1;
  else if (event.details.type !== 'suite') counts.failed += 1;
  else if ((event.details.error as { failureType?: string }).failureType === 'hookFailed') counts.failed += 1;
});
stream.compose(new spec()).pipe(process.stdout);
await new Promise((resolve) => stream.once('close', resolve).once('end', resolve));

for (const skip of skips) console.log(`skipped: ${skip}`);
const seconds = Math.round((Date.now() - startedAtMs) / 1000);
console.log(`${files.length} files in ${seconds} s`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

async function testFiles(): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob('test/**/*.test.ts')) found.push(file);
  return found.sort();
}
