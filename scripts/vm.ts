/**
 * `npm run vm`: a shell in a VM with a real kernel, a volume group on a loop device, and Ashlar. Leaving the shell ends the
 * VM, and nothing of it stays. Arguments: a command to run instead of the shell.
 */
import { missingVm } from '../test/support/kernel-image.ts';
import { resumeVm } from '../test/support/kernel-vm.ts';

const GROUP = `truncate -s 16G /var/lib/cinder-volumes.img &&
  vgcreate -q --yes cinder-volumes "$(losetup --find --show /var/lib/cinder-volumes.img)"`;
const PROFILE = `cat >/root/.bash_profile <<'END'
trap 'kill "$(cat /run/vm-hold)" 2>/dev/null' EXIT
stty rows ROWS cols COLUMNS 2>/dev/null
echo 'The volume group cinder-volumes is on a loop device. "ashlar node &" starts Ashlar on a thin pool of its own.'
echo 'Leaving this shell ends the VM.'
PS1='vm:\\w# '
END
pkill -HUP -x bash`;
const COMMAND_LIMIT_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

const missing = missingVm();
const command = process.argv.slice(2);
if (missing !== null) {
  console.error(`There can be no VM here: ${missing}`);
  process.exitCode = 1;
} else {
  const vm = await resumeVm({ terminal: command.length === 0 });
  try {
    await vm.must(['sh', '-c', GROUP]);
    if (command.length > 0) process.exitCode = await runCommand(command as [string, ...string[]]);
    else await openShell();
  } finally {
    await vm.close();
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  }

  async function runCommand(argv: readonly [string, ...string[]]): Promise<number> {
    const { code, stdout, stderr } = await vm.run(argv, { timeoutMs: COMMAND_LIMIT_MS });
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    return code ?? 1;
  }

  async function openShell(): Promise<void> {
    const { rows = 24, columns = 80 } = process.stdout;
    await vm.must(['sh', '-c', PROFILE.replace('ROWS', String(rows)).replace('COLUMNS', String(columns))]);
    await vm.run(['sh', '-c', 'echo $$ >/run/vm-hold; exec sleep infinity'], { timeoutMs: DAY_MS }).catch(() => {});
  }
}
