/** One QEMU process with the kernel lane's machine, and its monitor. A saved state fits this machine alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface QemuOptions {
  /** For its sockets: private to this process, its path short. */
  readonly directory: string;
  readonly kernel: string;
  readonly initrd: string;
  /** A qcow2 that it writes to: a path, or the URI under which a server has it. */
  readonly disk: string;
  /** What the guest flushes is flushed to the disk, and nothing else. Without it only the guest's own memory is lost. */
  readonly flushes?: boolean;
  /** An image of PAYLOAD_BYTES that it only reads. */
  readonly payload: string;
  /** A state to go on from; without it the machine boots. */
  readonly state?: string;
  /** Where the serial console goes: a file, or the terminal. */
  readonly console: { readonly file: string } | 'terminal';
}

export interface Qemu {
  readonly pid: number;
  /** The agent's end of the virtio-serial port. */
  readonly agent: Socket;
  readonly exited: Promise<void>;
  /** A command of QEMU's machine protocol; its `return`. */
  monitor(command: string, args?: object): Promise<unknown>;
  /** From now on it does nothing more; `kill` ends it. */
  freeze(): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

export const PAYLOAD_BYTES = 384 * 1024 ** 2;
const START_LIMIT_MS = 30_000;
const MONITOR_LIMIT_MS = 30_000;

export async function startQemu(options: QemuOptions): Promise<Qemu> {
  const terminal = options.console === 'terminal';
  // It ends with us, however we end.
  const argv = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...machine(options)];
  const child = spawn('setpriv', argv, {
    stdio: [terminal ? 'inherit' : 'ignore', terminal ? 'inherit' : 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const ended = exited.then(() => Promise.reject(new Error(`QEMU ended: ${said.trim()}`)));
    ended.catch(() => {});
    const sockets = Promise.all([
      connect(options.directory, 'monitor', child),
      connect(options.directory, 'agent', child),
    ]);
    const [monitorSocket, agent] = await Promise.race([sockets, ended, failed]);
    const monitor = openMonitor(monitorSocket);
    await monitor('qmp_capabilities');
    if (options.state !== undefined) await Promise.race([goOn(monitor), ended]);
    return { pid: child.pid!, agent, exited, monitor, freeze: () => void child.kill('SIGSTOP'), kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** Writes the state of the machine, which stops for it, to a file. */
export async function saveState(qemu: Qemu, file: string): Promise<void> {
  await qemu.monitor('stop');
  await qemu.monitor('migrate', { uri: `exec:cat > '${file}'` });
  await until('the state to be saved', async () => {
    const { status } = (await qemu.monitor('query-migrate')) as { status?: string };
    if (status === 'failed') throw new Error('QEMU could not save the state of the machine');
    return status === 'completed';
  });
  await qemu.monitor('quit').catch(() => {});
  await qemu.exited;
}

/** The state was saved of a stopped machine, so it is loaded when it stands paused. */
async function goOn(monitor: Qemu['monitor']): Promise<void> {
  await until('the saved state', async () => {
    const { status } = (await monitor('query-status')) as { status: string };
    return status !== 'inmigrate';
  });
  await monitor('cont');
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS * 2;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}

function machine(options: QemuOptions): string[] {
  const { directory, kernel, initrd, disk, payload, state, console } = options;
  const cache = options.flushes === true ? 'cache=writeback' : 'cache=unsafe,discard=unmap,detect-zeroes=unmap';
  const append = 'console=ttyS0 panic=-1 mitigations=off nokaslr quiet loglevel=4 net.ifnames=0 random.trust_cpu=on';
  const serial = console === 'terminal' ? 'stdio,id=console,signal=off' : `file,id=console,path=${console.file}`;
  const socket = (name: string) => `socket,id=${name},path=${join(directory, name)},server=on,wait=off`;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-machine', 'q35'],
    // Never KVM: where it is offered inside another VM, it may hang.
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off', '-smp', '2', '-m', '1536'],
    ...['-kernel', kernel, '-initrd', initrd, '-append', append],
    ...['-drive', `if=none,id=root,file=${disk},format=qcow2,${cache}`],
    ...['-device', 'virtio-blk-pci,drive=root', '-drive', `if=none,id=payload,file=${payload},format=raw,readonly=on`],
    ...['-device', 'virtio-blk-pci,drive=payload', '-device', 'virtio-serial-pci', '-chardev', socket('agent')],
    ...['-device', 'virtserialport,chardev=agent,name=ashlar.agent', '-chardev', serial, '-serial', 'chardev:console'],
    ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile=', '-device', 'virtio-rng-pci'],
    ...['-chardev', socket('monitor'), '-mon', 'chardev=monitor,mode=control'],
    ...(state === undefined ? [] : ['-incoming', `exec:cat '${state}'`]),
  ];
}

/** QEMU makes its sockets a moment after it has started. */
async function connect(directory: string, name: string, child: ChildProcess): Promise<Socket> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (true) {
    const socket = createConnection(join(directory, name));
    const error = await new Promise<Error | null>((resolve) => {
      socket.once('connect', () => resolve(null)).once('error', resolve);
    });
    if (error === null) return socket.on('error', () => {});
    if (performance.now() > deadline || child.exitCode !== null) throw error;
    await sleep(10);
  }
}

function openMonitor(socket: Socket): Qemu['monitor'] {
  const waiting = new Map<number, (answer: { return?: unknown; error?: { desc: string } }) => void>();
  let lastId = 0;
  const lines = createInterface({ input: socket });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const { id, ...answer } = JSON.parse(line) as { id?: number };
    if (id === undefined) return;
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  return (command, args) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const settle = () => {
        waiting.delete(id);
        clearTimeout(timer);
        socket.off('close', onClose);
      };
      const stop = (reason: string) => {
        settle();
        reject(new Error(`QEMU's monitor, ${command}: ${reason}`));
      };
      const timer = setTimeout(() => stop('no answer in time'), MONITOR_LIMIT_MS);
      const onClose = () => stop('the connection was closed');
      socket.once('close', onClose);
      waiting.set(id, ({ return: result, error }) => {
        if (error !== undefined) return stop(error.desc);
        settle();
        resolve(result);
      });
      socket.write(`${JSON.stringify({ execute: command, id, ...(args === undefined ? {} : { arguments: args }) })}\n`);
    });
}
