/** TERM in the middle of a hundred creates, and HUP under load. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLoad, seeded } from '../../support/load.ts';
import { type ApiClient, eventually } from '../../support/node-process.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';
import { CHILD, type RoleLane, SERVICE_HOST, startRoleLane } from '../../support/role-lane.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const skip = missingTgtd() ?? missingRabbitmq() ?? false;
const CREATES = 100;
/** The second backend stands in a zone that nobody asks for. */
const ASIDE = { volume_driver: 'fake', target_helper: 'fake', backend_availability_zone: 'aside' };
const two = { enabled_backends: 'file,b' };

test('TERM under load, and HUP under load', { skip }, async (t) => {
  const lane = await startRoleLane({ common: { graceful_shutdown_timeout: 3, executor_thread_pool_size: 2 } });
  try {
    const source = await lane.makeSource(8);
    await t.test('TERM in the middle of a hundred creates: nothing is lost, the next start does the rest', async () => {
      const create = () => lane.client.request('POST', '/volumes', { volume: { source_volid: source } });
      const answers = await Promise.all(Array.from({ length: CREATES }, create));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
      const ids = answers.map(({ body }) => body.volume.id as string);
      await eventually('the first ones', async () => ((await available(lane)) > 3 ? true : undefined));
      lane.volume().kill('SIGTERM');
      assert.deepEqual(await lane.volume().exited, { code: 0, signal: null });
      const log = JSON.stringify(await lane.bed.logLines());
      assert.doesNotMatch(log, /did not end in time and is killed/);
      const before = await available(lane);
      assert.ok(before < CREATES, 'the stop came too late to tell anything');
      assert.deepEqual(await lane.commands(), []);
      t.diagnostic(`${before - 1} of ${CREATES} were made before the end`);
      await lane.startVolume();
      const promised = { made: new Set([source, ...ids]), deleted: new Set<string>(), unclear: new Set<string>() };
      const nothing = { made: new Set<string>(), deleted: new Set<string>(), unclear: new Set<string>() };
      await lane.audit({ volumes: promised, snapshots: nothing });
      assert.equal(await available(lane), CREATES + 1);
      await Promise.all(ids.map((id) => lane.client.request('DELETE', `/volumes/${id}`)));
    });

    await t.test(`HUP under load: not one request fails (CHAOS_SEED=${SEED})`, async () => {
      await lane.configure({ common: two, more: { b: { ...ASIDE, reserved_percentage: 'much' } } });
      lane.volume().kill('SIGHUP');
      // One that is configured wrongly and new is refused.
      await logged(lane, /the new configuration is refused.*|b: .*much/);
      lane.volume().kill('SIGTERM');
      await lane.volume().exited;
      await lane.startVolume();
      const failures: string[] = [];
      const load = createLoad(seeded(SEED), [source]);
      const over = new AbortController();
      const running = load.run(watched(lane.client, failures), over.signal);
      let child = await lane.childUp();
      for (const volume_backend_name of ['one', 'two', 'three']) {
        // The first time together with what mends the other backend.
        const more = { b: { ...ASIDE, reserved_percentage: 7 } };
        await lane.configure({ common: two, backend: { volume_backend_name }, more });
        lane.volume().kill('SIGHUP');
        child = await lane.childUp(child);
        await eventually('both', async () => ((await lane.volume().children()).size === 2 ? true : undefined));
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
      over.abort();
      await running;
      t.diagnostic([...load.counts].map(([kind, count]) => `${kind} ${count}`).join(', '));
      assert.deepEqual(failures, []);
      assert.deepEqual([...(await lane.volume().children()).keys()].sort(), ['ashlar volume: b', CHILD]);
      await lane.audit({ ...load, volumes: { ...load.volumes, made: new Set([source, ...load.volumes.made]) } });
    });
  } finally {
    await lane.close();
  }
});

/** Notes each request that got no answer, or one that blames the service. */
function watched(client: ApiClient, failures: string[]): ApiClient {
  return {
    async request(method, path, body) {
      try {
        const answer = await client.request(method, path, body);
        if (answer.status >= 500) failures.push(`${method} ${path}: ${JSON.stringify(answer)}`);
        return answer;
      } catch (error) {
        failures.push(`${method} ${path}: ${String(error)}`);
        throw error;
      }
    },
  };
}

async function available({ bed }: RoleLane): Promise<number> {
  const rows = await bed.store.volumes.list({ projectId: null, filters: { status: 'available' } });
  return rows.filter(({ host }) => host?.startsWith(SERVICE_HOST)).length;
}

function logged({ bed }: RoleLane, pattern: RegExp): Promise<true> {
  return eventually(String(pattern), async () =>
    pattern.test(JSON.stringify(await bed.logLines())) ? true : undefined,
  );
}
