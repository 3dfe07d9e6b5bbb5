/** `ashlar volume`, `scheduler` and `api` as real processes, on a real database and a real broker. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isServiceUp } from '../../../src/model/service.ts';
import { eventually } from '../../support/node-process.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';
import {
  type ConfigGroups,
  isRunning,
  type RoleBed,
  type RoleProcess,
  startRoleBed,
  untilSaid,
} from '../../support/role-bed.ts';

const fake = { volume_driver: 'fake', target_helper: 'fake' };
const broken = { ...fake, reserved_percentage: 'much' };

describe('services as processes of their own', { skip: missingRabbitmq() ?? false }, () => {
  let bed: RoleBed;
  before(async () => {
    bed = await startRoleBed();
  });
  after(() => bed?.close());

  const backends = (DEFAULT: ConfigGroups[string], c: ConfigGroups[string] = fake) =>
    bed.configure({ DEFAULT: { enabled_backends: 'a,b,c', ...DEFAULT }, a: fake, b: fake, c });
  const logged = (what: string, pattern: RegExp) =>
    eventually(what, async () => (await bed.logLines()).find((line) => pattern.test(JSON.stringify(line))));
  const isUp = async (host: string) => {
    const service = await bed.store.services.get(host, 'cinder-volume');
    return service === null ? null : isServiceUp(service, 5);
  };
  const child = (role: RoleProcess, name: string, except?: number) =>
    eventually(`a process '${name}'`, async () => {
      const pid = (await role.children()).get(name);
      return pid === except ? undefined : pid;
    });

  it('a misconfigured backend is listed down, mended without a restart; HUP, KILL, TERM', async () => {
    await backends({}, broken);
    const volume = bed.start('volume');
    await untilSaid(volume, /Ashlar volume is up: up: a, b; broken: c/);
    assert.match(volume.output(), /\[c\] reserved_percentage: 'much' is not a whole number/);
    assert.deepEqual([await isUp('node@a'), await isUp('node@b'), await isUp('node@c')], [true, true, false]);
    assert.equal((await bed.store.services.get('node@c', 'cinder-volume'))?.disabledReason, null);
    const before = await volume.children();
    assert.deepEqual([...before.keys()].toSorted(), ['ashlar volume: a', 'ashlar volume: b']);

    await backends({});
    await eventually('c to come up', async () => ((await isUp('node@c')) === true ? true : undefined));
    const mended = await volume.children();
    for (const [name, pid] of before) assert.equal(mended.get(name), pid);

    const victim = mended.get('ashlar volume: a')!;
    process.kill(victim, 'SIGKILL');
    const successor = await child(volume, 'ashlar volume: a', victim);
    await logged('its successor', new RegExp(`"pid":${successor},.*backend is up`));

    await backends({}, broken);
    volume.kill('SIGHUP');
    await logged('the refusal', /the new configuration is refused/);
    const afterRefusal = await volume.children();
    assert.equal(afterRefusal.get('ashlar volume: c'), mended.get('ashlar volume: c'));

    await backends({ debug: 'true' });
    volume.kill('SIGHUP');
    await logged('the reload', /"restarted":\[\].*read anew/);
    assert.deepEqual(await volume.children(), afterRefusal);

    await backends({ debug: 'true' }, { ...fake, volume_backend_name: 'other' });
    volume.kill('SIGHUP');
    await logged('the reload of one', /"restarted":\["c"\].*read anew/);
    const reloaded = await volume.children();
    assert.equal(reloaded.get('ashlar volume: a'), successor);
    assert.notEqual(reloaded.get('ashlar volume: c'), afterRefusal.get('ashlar volume: c'));

    volume.kill('SIGUSR2');
    await untilSaid(volume, /Ashlar volume, parent, pid \d+\n {2}a: up since/);
    // One that was not restarted.
    await untilSaid(volume, /role: volume a\n[\s\S]*?log: level debug/);

    volume.kill('SIGTERM');
    assert.deepEqual(await volume.exited, { code: 0, signal: null });
    for (const pid of reloaded.values()) assert.equal(await isRunning(pid), false);
  });

  it('where no backend can start, the parent says why and ends with 1', async () => {
    await bed.configure({ DEFAULT: { enabled_backends: 'c' }, c: { ...fake, volume_driver: 'nonesuch' } });
    const volume = bed.start('volume');
    assert.deepEqual(await volume.exited, { code: 1, signal: null });
    assert.match(volume.output(), /c does not start: .*nonesuch[\s\S]*No volume service started/);
  });

  it('one process alone cannot reach others by memory', async () => {
    await bed.configure({ DEFAULT: { enabled_backends: 'a', transport_url: 'memory:' }, a: fake });
    const volume = bed.start('volume');
    assert.deepEqual(await volume.exited, { code: 1, signal: null });
    assert.match(volume.output(), /transport_url is memory:/);
  });

  it('the API serves from one socket, and no request fails while its processes are replaced', async () => {
    const configure = (DEFAULT: ConfigGroups[string]) =>
      bed.configure({ DEFAULT: { osapi_volume_workers: 2, ...DEFAULT } });
    await configure({});
    const [api, scheduler] = [bed.start('api'), bed.start('scheduler')];
    const [, url] = await untilSaid(api, /API: (http\S+)\./);
    await untilSaid(scheduler, /Ashlar scheduler is up/);
    const token = (await readFile(join(bed.directory, 'state', 'admin-token'), 'utf8')).trim();
    const ask = async () => {
      const response = await fetch(`${url}/admin/volumes`, { headers: { 'x-auth-token': token } });
      return `${response.status} ${await response.text()}`;
    };
    const before = await api.children();
    assert.equal(before.size, 2);

    let isOver = false;
    const answers = new Map<string, number>();
    const client = async () => {
      while (!isOver) {
        const answer = await ask().catch((error: Error) => `${error.message}: ${String(error.cause)}`);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    await configure({ osapi_max_request_body_size: 50000 });
    api.kill('SIGHUP');
    await logged('the reload', /"restarted":\["api 1","api 2"\].*read anew/);
    isOver = true;
    await Promise.all(clients);
    assert.deepEqual([...answers.keys()], ['200 {"volumes":[]}']);
    const reloaded = new Set((await api.children()).values());
    for (const pid of before.values()) assert.equal(reloaded.has(pid), false);

    const [[, victim]] = [...(await api.children())] as [[string, number]];
    process.kill(victim, 'SIGKILL');
    await eventually('two processes again', async () => {
      const now = await api.children();
      return now.size === 2 && ![...now.values()].includes(victim) ? true : undefined;
    });
    assert.equal(await ask(), '200 {"volumes":[]}');
    for (const role of [api, scheduler]) role.kill('SIGTERM');
    assert.deepEqual(await Promise.all([api.exited, scheduler.exited]), Array(2).fill({ code: 0, signal: null }));
  });
});
