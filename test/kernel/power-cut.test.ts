/**
 * The power goes at a random moment of a mixed load, again and again, over a disk that keeps only what was flushed: disk,
 * database and volume group are cut together. What was promised before is there afterwards, and nothing else. Rounds:
 * ASHLAR_POWER_CUTS (default 3); ASHLAR_POWER_CUT_SEED repeats a run's load and moments, as far as time can be repeated.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { missingVolatileDisk } from '../support/kernel-disk.ts';
import { missingVm } from '../support/kernel-image.ts';
import { type KernelVm, resumeVm } from '../support/kernel-vm.ts';
import { seeded } from '../support/load.ts';
import type { KnownObject } from '../support/power-cut-node.ts';

const ROUNDS = Number(process.env.ASHLAR_POWER_CUTS ?? 3);
const SEED = Number(process.env.ASHLAR_POWER_CUT_SEED ?? Date.now() % 1_000_000);
const STATE = '/var/lib/ashlar';
const START_LIMIT_MS = 6 * 60_000;
const VERIFY_LIMIT_MS = 15 * 60_000;
const LOAD_LIMIT_MS = 10 * 60_000;
const [SHORTEST_LOAD_MS, LONGEST_LOAD_MS] = [5_000, 35_000];
const START = `rm -f /root/node.log
setsid ashlar node --state-dir ${STATE} >/root/node.log 2>&1 </dev/null &
pid=$!
until grep -q 'API: ' /root/node.log; do kill -0 $pid || break; sleep 0.2; done
cat /root/node.log
grep -q 'API: ' /root/node.log`;

for (const type of ['thin', 'default']) {
  test(`a power cut loses nothing that was promised (lvm_type = ${type}, ASHLAR_POWER_CUT_SEED=${SEED})`, {
    skip: missingVm() ?? missingVolatileDisk() ?? false,
    timeout: 15 * 60_000 + ROUNDS * 30 * 60_000,
  }, async (t) => {
    const vm = await resumeVm({
      guestTests: ['test/support/power-cut-load.ts', 'test/support/power-cut-verify.ts'],
      losesUnflushed: true,
    });
    try {
      await vm.must(['sh', '-c', `mkdir -p ${STATE} && printf '[lvm]\\nlvm_type = ${type}\\n' >${STATE}/ashlar.conf`]);
      // The database is made on the fast disk, and from here on all is on the one that forgets.
      await vm.must(['sh', '-c', `${START} && sync`], { timeoutMs: START_LIMIT_MS });
      await vm.powerCycle();
      await vm.must(['sh', '-c', START], { timeoutMs: START_LIMIT_MS });
      const random = seeded(SEED);
      let known: KnownObject[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const afterMs = SHORTEST_LOAD_MS + random() * (LONGEST_LOAD_MS - SHORTEST_LOAD_MS);
        const promised = await loadUntilCut(vm, { known, round, afterMs });
        await vm.must(['sh', '-c', START], { timeoutMs: START_LIMIT_MS });
        const { problems, figures, ...next } = await verify(vm, round, promised);
        t.diagnostic(`round ${round}, cut after ${Math.round(afterMs)} ms: ${JSON.stringify(figures)}`);
        assert.deepEqual(problems, [], `round ${round}\n${await logOf(vm)}`);
        known = next.known;
      }
    } finally {
      await vm.close();
    }
  });
}

/** Everything that was promised at the moment of the cut; the VM is up again. */
async function loadUntilCut(
  vm: KernelVm,
  options: { readonly known: readonly KnownObject[]; readonly round: number; readonly afterMs: number },
): Promise<KnownObject[]> {
  const promised = new Map(options.known.map((object) => [object.name, object]));
  const journal = createServer((socket) => {
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      const object = JSON.parse(line) as KnownObject;
      promised.set(object.name, object);
      socket.write('written\n');
    });
  });
  const connected = new Promise((resolve) => journal.once('connection', resolve));
  await new Promise<void>((resolve) => journal.listen(0, '127.0.0.1', resolve));
  const { port } = journal.address() as { port: number };
  const input = JSON.stringify({ port, seed: SEED, round: options.round, known: options.known });
  const argv = ['node', '/opt/ashlar/test/kernel/support-power-cut-load.mjs'] as const;
  const load = vm.run([...argv], { timeoutMs: LOAD_LIMIT_MS, input }).then(
    (result) => `the load ended before the cut: ${JSON.stringify(result)}`,
    () => null,
  );
  try {
    const early = await Promise.race([connected.then(() => sleep(options.afterMs)), load]);
    assert.ok(early === undefined, `${early}\n${typeof early === 'string' ? await logOf(vm) : ''}`);
    await vm.powerCycle();
    await load;
    return [...promised.values()];
  } finally {
    journal.close();
  }
}

async function verify(vm: KernelVm, round: number, known: readonly KnownObject[]) {
  const argv = ['node', '/opt/ashlar/test/kernel/support-power-cut-verify.mjs'] as const;
  const said = await vm.must([...argv], { timeoutMs: VERIFY_LIMIT_MS, input: JSON.stringify({ round, known }) });
  return JSON.parse(said) as { problems: string[]; figures: object; known: KnownObject[] };
}

async function logOf(vm: KernelVm): Promise<string> {
  const log = `grep -v '"level":"\\(info\\|debug\\)"' ${STATE}/log/ashlar.log | tail -n 40`;
  return (await vm.run(['sh', '-c', log], { timeoutMs: 30_000 })).stdout;
}
