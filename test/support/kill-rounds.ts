/** Rounds of SIGKILL under load: for the child of a backend, then for its parent; and what must be true after them. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createLoad, deleteEverything, seeded } from './load.ts';
import { filesIn } from './node-audit.ts';
import { eventually } from './node-process.ts';
import { isRunning } from './role-bed.ts';
import { type RoleLane, startRoleLane } from './role-lane.ts';

/** Of the copies' source: big enough that a kill finds one under way. */
const SOURCE_MB = 24;

export async function runKillRounds(
  rounds: number,
  { seed, say }: { readonly seed: number; readonly say: (line: string) => void },
): Promise<void> {
  const random = seeded(seed);
  // Who waits for a service that was killed is told soon.
  const lane = await startRoleLane({ common: { rpc_response_timeout: 5, service_down_time: 10 } });
  try {
    const source = await lane.makeSource(SOURCE_MB);
    const load = createLoad(random, [source]);
    const over = new AbortController();
    const running = load.run(lane.client, over.signal);
    const tooks = { back: [] as number[], gone: [] as number[], again: [] as number[] };
    const withCommand = { child: 0, parent: 0 };
    for (let round = 0; round < rounds; round += 1) {
      await pause(300 + random() * 700);
      const victim = await lane.childUp();
      withCommand.child += (await lane.commands()).length > 0 ? 1 : 0;
      process.kill(victim, 'SIGKILL');
      tooks.back.push(await timed(() => lane.childUp(victim)));

      await pause(300 + random() * 700);
      const children = [...(await lane.volume().children()).values()];
      withCommand.parent += (await lane.commands()).length > 0 ? 1 : 0;
      lane.volume().kill('SIGKILL');
      tooks.gone.push(await timed(() => untilGone(lane, children)));
      tooks.again.push(await timed(() => lane.startVolume()));
    }
    over.abort();
    await running;
    say([...load.counts].map(([kind, count]) => `${kind} ${count}`).join(', '));
    say(
      `a command was under way at the kill: ${withCommand.child} of the child's, ${withCommand.parent} of the parent's`,
    );
    say(`child back ${spread(tooks.back)}; children gone ${spread(tooks.gone)}; up again ${spread(tooks.again)}`);
    const { volumes, snapshots } = load;
    assert.deepEqual(wrongBeyondKills(load.wrong), []);
    await lane.audit({ volumes, snapshots });
    await judgeCopies(lane, source);
    await deleteEverything(lane.client);
    assert.deepEqual(await filesIn(join(lane.bed.directory, 'state/file-volumes')), []);
  } finally {
    await lane.close();
  }
}

/** Every process of it has ended, and none works on the volumes. */
async function untilGone(lane: RoleLane, children: readonly number[]): Promise<void> {
  await eventually('the children and their commands to end', async () => {
    const left = await Promise.all(children.map(isRunning));
    return left.includes(true) || (await lane.commands()).length > 0 ? undefined : true;
  });
}

/** While a service is killed, whoever waits for its answer hears that none came. */
function wrongBeyondKills(wrong: readonly string[]): readonly string[] {
  return wrong.filter((answer) => !/"status":502.*No answer to/.test(answer));
}

/** Each copy holds the bytes of its source. */
async function judgeCopies(lane: RoleLane, source: string): Promise<void> {
  const copies = (await lane.bed.store.volumes.list({ projectId: null })).filter(
    (row) => row.sourceVolumeId === source,
  );
  const head = async (id: string) => {
    const file = await open(lane.fileOf(id));
    try {
      return (await file.read(Buffer.alloc(SOURCE_MB * 2 ** 20), 0, SOURCE_MB * 2 ** 20, 0)).buffer;
    } finally {
      await file.close();
    }
  };
  const wanted = await head(source);
  for (const { id } of copies.slice(0, 3)) assert.ok(wanted.equals(await head(id)), `copy ${id} has other bytes`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function spread(tookMs: readonly number[]): string {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const seconds = (index: number) => (sorted[index]! / 1000).toFixed(2);
  return `${seconds(Math.floor(sorted.length / 2))} s in the median, ${seconds(sorted.length - 1)} s at the most`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
