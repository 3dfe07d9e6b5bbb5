/**
 * What the processes of API, scheduler and a backend keep in memory, idle and after ten thousand operations over RabbitMQ.
 * From the bundle that ships (`npm run build`).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUNDLE, openClient } from '../../test/support/node-process.ts';
import { missingRabbitmq } from '../../test/support/rabbitmq.ts';
import { type RoleProcess, startRoleBed, untilSaid } from '../../test/support/role-bed.ts';

const OPERATIONS = Number(process.env.BENCH_OPERATIONS ?? 10_000);
const MEASUREMENTS = 4;
const AT_ONCE = 16;
/** What was allocated is given back some seconds later. */
const SETTLE_MS = 20_000;

const why = missingRabbitmq();
if (why !== null) throw new Error(why);
const program = process.env.ASHLAR_BUNDLE ?? BUNDLE;
const bed = await startRoleBed();
try {
  const quotas = { quota_volumes: -1, quota_gigabytes: -1, osapi_volume_workers: 1 };
  await bed.configure({
    DEFAULT: { enabled_backends: 'one', ...quotas },
    one: { volume_driver: 'fake', target_helper: 'fake' },
  });
  const roles = ['volume', 'scheduler', 'api'].map((role) => [role, bed.start(role, { program })] as const);
  const [[, url]] = await Promise.all([
    untilSaid(roles[2]![1], /API: (http\S+)\./),
    ...roles.map(([, role]) => untilSaid(role, /is up/)),
  ]);
  const token = (await readFile(join(bed.directory, 'state', 'admin-token'), 'utf8')).trim();
  const client = openClient(url!, token);
  await tell('idle', roles);
  const startedAtMs = performance.now();
  for (let step = 1; step <= MEASUREMENTS; step += 1) {
    await perform(OPERATIONS / MEASUREMENTS, client);
    await tell(`after ${(OPERATIONS / MEASUREMENTS) * step} operations`, roles);
  }
  console.log(`${Math.round((performance.now() - startedAtMs) / 1000)} s in all`);
} finally {
  await bed.close();
}

/** Half of them creates, half deletes. */
async function perform(count: number, client: ReturnType<typeof openClient>): Promise<void> {
  let left = count / 2;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const { body } = await client.request('POST', '/volumes', { volume: { size: 1 } });
      const { id } = body.volume as { readonly id: string };
      await until(async () => (await client.request('GET', `/volumes/${id}`)).body.volume.status === 'available');
      await client.request('DELETE', `/volumes/${id}`);
      await until(async () => (await bed.store.volumes.get(id)) === null);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function until(ask: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 60_000; !(await ask()); ) {
    if (Date.now() > until) throw new Error('an operation did not end in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function tell(when: string, roles: readonly (readonly [string, RoleProcess])[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const parts: string[] = [];
  for (const [name, role] of roles) {
    parts.push(`${name} parent ${(await pssMib(role.pid)).toFixed(1)}`);
    for (const pid of (await role.children()).values()) parts.push(`child ${(await pssMib(pid)).toFixed(1)}`);
  }
  console.log(`PSS in MiB, ${when}: ${parts.join(', ')}`);
}

async function pssMib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)![1]) / 1024;
}
