/** `ashlar node` as root on a real kernel, with the backend that it chooses by itself, through kill -9 and a power cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingVm } from '../support/kernel-image.ts';
import { type KernelVm, resumeVm } from '../support/kernel-vm.ts';

const STATE = '/var/lib/ashlar';
/** Emulated, the first start (it makes a database) takes a minute, and more beside other tests. */
const START_LIMIT_MS = 4 * 60_000;
const COMMAND_LIMIT_MS = 2 * 60_000;
const START = `rm -f /root/node.log
setsid ashlar node --state-dir ${STATE} >/root/node.log 2>&1 </dev/null &
pid=$!
until grep -q 'API: ' /root/node.log; do kill -0 $pid || break; sleep 0.2; done
cat /root/node.log
grep -q 'API: ' /root/node.log`;

/** By name, in a VM where nothing else has these names. */
const KILL = "pkill -KILL -f '[a]shlar node'; pkill -KILL -x tgtd; pkill -KILL -x postgres; ! pgrep -f '[a]shlar node'";

test('ashlar node keeps its volumes on LVM, and one URL reads the same bytes', {
  skip: missingVm() ?? false,
}, async () => {
  const vm = await resumeVm();
  try {
    await tell(vm);
  } finally {
    await vm.close();
  }
});

async function tell(vm: KernelVm): Promise<void> {
  assert.match(await startNode(vm), /Backend: LVM: device-mapper is there/);

  // A snapshot and a clone hold the bytes of their moment.
  await ashlar(vm, 'volume', 'create', '--size', '1', '--name', 'data');
  const url = await attach(vm, 'data');
  await initiator(vm, url, 'write -P 0x5a 0 4M', 'flush', 'read -P 0x5a 0 4M');
  await assert.rejects(initiator(vm, url.replace(/%[^@]+@/, '%wrongwrongwrong@'), 'length'));
  await ashlar(vm, 'snapshot', 'create', 'data', '--name', 'then');
  await initiator(vm, url, 'write -P 0x5b 0 1M', 'flush');
  await ashlar(vm, 'volume', 'create', '--source', 'data', '--name', 'clone');
  await ashlar(vm, 'volume', 'create', '--snapshot', 'then', '--name', 'restored', '--size', '2');
  await initiator(vm, await attach(vm, 'clone'), 'read -P 0x5b 0 1M', 'read -P 0x5a 1M 3M');
  await initiator(vm, await attach(vm, 'restored'), 'read -P 0x5a 0 4M', 'read -P 0 1024M 1M');

  // kill -9 of everything that serves.
  await vm.must(['sh', '-c', KILL]);
  await startNode(vm);
  await initiator(vm, url, 'read -P 0x5b 0 1M', 'read -P 0x5a 1M 3M');
  const before = await logicalVolumes(vm);

  // A power cut: the loop device is gone, the pool inactive.
  await initiator(vm, url, 'write -P 0x5c 8M 1M', 'flush');
  await vm.powerCycle();
  assert.match(await startNode(vm), /Backend: lvm, as at the first start/);
  await initiator(vm, url, 'read -P 0x5b 0 1M', 'read -P 0x5a 1M 3M', 'read -P 0x5c 8M 1M');
  assert.equal(await logicalVolumes(vm), before);

  // Detached, it is extended and deleted, and its LV is gone.
  await ashlar(vm, 'attachment', 'delete', 'clone');
  await ashlar(vm, 'volume', 'extend', 'clone', '2');
  await initiator(vm, await attach(vm, 'clone'), 'read -P 0x5b 0 1M', 'read -P 0 1500M 1M');
  await ashlar(vm, 'attachment', 'delete', 'clone');
  const id = await ashlar(vm, 'volume', 'show', 'clone', '-f', 'value', '-c', 'id');
  assert.ok((await logicalVolumes(vm)).includes(id));
  await ashlar(vm, 'volume', 'delete', 'clone');
  // Gone at once; its space a little later.
  assert.ok(!new RegExp(`(^|\\s)volume-${id}`).test(await logicalVolumes(vm)));
  const gone = `until ! lvs --noheadings --options lv_name ashlar-volumes | grep -q ${id}; do sleep 1; done`;
  await vm.must(['sh', '-c', gone], { timeoutMs: COMMAND_LIMIT_MS });
}

function startNode(vm: KernelVm): Promise<string> {
  return vm.must(['sh', '-c', START], { timeoutMs: START_LIMIT_MS });
}

async function ashlar(vm: KernelVm, ...argv: readonly string[]): Promise<string> {
  return (await vm.must(['ashlar', '--state-dir', STATE, ...argv], { timeoutMs: COMMAND_LIMIT_MS })).trim();
}

function attach(vm: KernelVm, name: string): Promise<string> {
  return ashlar(vm, 'attachment', 'create', name, '--initiator', 'iqn.2004-10.com.example:one', '--url');
}

async function initiator(vm: KernelVm, url: string, ...commands: readonly string[]): Promise<void> {
  const options = commands.flatMap((command) => ['-c', command]);
  const said = await vm.must(['qemu-io', '-f', 'raw', ...options, url], { timeoutMs: COMMAND_LIMIT_MS });
  assert.doesNotMatch(said, /verification failed|error/i);
}

async function logicalVolumes(vm: KernelVm): Promise<string> {
  return await vm.must([
    'lvs',
    '--noheadings',
    '--options',
    'lv_name,lv_size,lv_tags',
    '--sort',
    'lv_name',
    'ashlar-volumes',
  ]);
}
