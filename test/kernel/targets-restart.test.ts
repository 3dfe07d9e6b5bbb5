/**
 * Exports without Ashlar: what an operator sees of them with the system's own tools, and that they are served after the
 * system's target services were restarted and after a reboot. The VM has no systemd: the commands of the units are run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingVm } from '../support/kernel-image.ts';
import { type KernelVm, resumeVm } from '../support/kernel-vm.ts';

const LIMIT_MS = 4 * 60_000;
const PROGRAM = '/opt/ashlar/test/kernel/support-served-exports.mjs';
const UNITS = { tgt: 'tgt.service', lio: 'rtslib-fb-targetctl.service' } as const;
const VOLUMES = ['one', 'two', 'three', 'four'];
const DISK = '/var/lib/served.img';

test('exports show in targetcli and tgt-admin, and outlive their services and a reboot without Ashlar', {
  skip: missingVm() ?? false,
  timeout: 30 * 60_000,
}, async () => {
  const vm = await resumeVm({ guestTests: ['test/support/served-exports.ts'] });
  try {
    await tell(vm);
  } finally {
    await vm.close();
  }
});

async function tell(vm: KernelVm): Promise<void> {
  const shell = (script: string) => vm.must(['sh', '-c', `set -e\n${script}`], { timeoutMs: LIMIT_MS });
  const check = () => vm.must(['node', PROGRAM, 'check'], { timeoutMs: LIMIT_MS });

  await shell(`truncate -s 1G ${DISK}
    vgcreate -q --yes served "$(losetup --find --show ${DISK})"
    for name in ${VOLUMES.join(' ')}; do lvcreate -q --yes --size 64m --name $name served; done
    mkdir -p /etc/tgt/conf.d /var/lib/ashlar/volumes /etc/rtslib-fb-target
    echo 'include /var/lib/ashlar/volumes/*' >/etc/tgt/conf.d/ashlar.conf`);
  const devices = VOLUMES.map((name) => `/dev/served/${name}`);
  await start(vm, UNITS.tgt);
  const names = JSON.parse(await vm.must(['node', PROGRAM, 'make', ...devices], { timeoutMs: LIMIT_MS })) as string[];
  await check();
  await looksAsExpected(vm, names, devices);

  for (const unit of Object.values(UNITS)) {
    await stop(vm, unit);
    await assert.rejects(check(), `nothing of ${unit} was stopped`);
    await start(vm, unit);
    await check();
  }

  await vm.must(['sync'], { timeoutMs: LIMIT_MS });
  await vm.powerCycle();
  await shell(`losetup --find ${DISK}; vgchange --activate y served; udevadm settle`);
  for (const unit of Object.values(UNITS)) await start(vm, unit);
  await check();
  await looksAsExpected(vm, names, devices);
}

/** What an operator looks for: names, devices, who may come in. */
async function looksAsExpected(vm: KernelVm, names: readonly string[], devices: readonly string[]) {
  const shown = {
    tgt: await vm.must(['tgt-admin', '--show'], { timeoutMs: LIMIT_MS }),
    lio: await vm.must(['targetcli', 'ls'], { timeoutMs: LIMIT_MS }),
  };
  assert.equal([...shown.tgt.matchAll(/^Target \d+:/gm)].length, 2, shown.tgt);
  for (const part of [names[0]!, names[1]!, devices[0]!, devices[1]!, 'State: ready', 'Online: Yes', 'ALL']) {
    assert.ok(shown.tgt.includes(part), `${part} in\n${shown.tgt}`);
  }
  assert.match(shown.tgt, /iqn\.2004-10\.com\.example:one/, 'who is let in by name');
  const initiator = 'iqn.2004-10.com.example:one';
  for (const part of [names[2]!, names[3]!, '127.0.0.1:3261', initiator, 'Storage Objects: 2', 'Targets: 2']) {
    assert.ok(shown.lio.includes(part), `${part} in\n${shown.lio}`);
  }
  assert.equal([...shown.lio.matchAll(/no-gen-acls, (?:tpg-auth|auth per-acl)/g)].length, 2, shown.lio);
}

/** Runs the commands of a unit, as systemd would when it starts it. */
async function start(vm: KernelVm, unit: string): Promise<void> {
  const isDaemon = unit === UNITS.tgt;
  const commands = (await commandsOf(vm, unit, 'ExecStart')).map((command) =>
    isDaemon
      ? `setsid ${command} >/run/unit.log 2>&1 </dev/null &\nuntil tgtadm --mode sys --op show >/dev/null 2>&1; do sleep 0.2; done`
      : command,
  );
  const after = await commandsOf(vm, unit, 'ExecStartPost');
  await vm.must(['sh', '-c', ['set -e', 'mkdir -p /run/tgtd', ...commands, ...after].join('\n')], {
    timeoutMs: LIMIT_MS,
  });
}

/** For tgtd, which takes its own time to end, waits for that. */
async function stop(vm: KernelVm, unit: string): Promise<void> {
  const commands = await commandsOf(vm, unit, 'ExecStop');
  const gone = unit === UNITS.tgt ? ['while pgrep -x tgtd >/dev/null; do sleep 0.2; done'] : [];
  await vm.must(['sh', '-c', ['set -e', ...commands, ...gone].join('\n')], { timeoutMs: LIMIT_MS });
}

async function commandsOf(vm: KernelVm, unit: string, key: string): Promise<string[]> {
  const text = await vm.must(['cat', `/lib/systemd/system/${unit}`]);
  const lines = text.split('\n').filter((line) => line.startsWith(`${key}=`));
  return lines.map((line) => line.slice(key.length + 1).replace(/^[-@:+!]+/, ''));
}
