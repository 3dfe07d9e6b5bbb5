/** A RabbitMQ for one test file: its own ports on loopback, its own epmd, cookie and directory. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pathOf } from '../../src/exec/executor.ts';
import { sleep, withTimeout } from '../../src/lib/timers.ts';
import type { TestCertificate } from './certificate.ts';

export interface TestRabbitmq {
  readonly port: number;
  /** Where it speaks TLS, if it does. */
  readonly tlsPort: number;
  /** In oslo's form, with the user `guest`. */
  readonly url: string;
  /** Runs rabbitmqctl against it and answers what it prints; some two seconds. */
  control(...args: readonly string[]): Promise<string>;
  /** Stops the broker as an operator would; `start` brings it back on the same port. */
  stop(): Promise<void>;
  /** Kills the broker as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends everything and removes the directory. */
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
/** The scripts themselves: those in /usr/sbin change the user, and keep one fixed directory. */
const SCRIPTS = '/usr/lib/rabbitmq/bin';
const READY_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 20_000;

/** Null, or why there can be none. */
export function missingRabbitmq(): string | null {
  return pathOf('rabbitmq-server') === null ? 'there is no rabbitmq-server: apt-get install rabbitmq-server' : null;
}

/** @param tls makes it listen on a second port that speaks TLS: the paths of an authority, and of its own certificate. */
export async function startTestRabbitmq({ tls }: { readonly tls?: TestCertificate } = {}): Promise<TestRabbitmq> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-mq-'));
  const [port, distributionPort, epmdPort, tlsPort] = await freePorts(4);
  const env = await prepare(directory, port!, distributionPort!, epmdPort!);
  if (tls !== undefined) await appendFile(join(directory, 'rabbitmq.conf'), tlsConfig(tls, tlsPort!));
  const epmd = launch('epmd', ['-address', ADDRESS, '-port', String(epmdPort)], env);
  let broker: ChildProcess | null = null;

  async function start(): Promise<void> {
    broker = launch(join(SCRIPTS, 'rabbitmq-server'), [], env);
    const ended = once(broker, 'exit').then(() => {
      throw new Error(`rabbitmq-server ended before it was ready; its log is in ${directory}/log`);
    });
    ended.catch(() => undefined);
    await withTimeout(
      Promise.race([ended, untilGreeted(port!)]),
      READY_TIMEOUT_MS,
      () => new Error(`rabbitmq-server was not ready within ${READY_TIMEOUT_MS / 1000} s`),
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (broker !== null) await endGroup(broker, signal);
    broker = null;
  }

  async function close(): Promise<void> {
    await end('SIGKILL');
    await endGroup(epmd, 'SIGKILL');
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    await untilOpen(epmdPort!);
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port: port!,
    tlsPort: tlsPort!,
    url: `rabbit://guest:guest@${ADDRESS}:${port}/`,
    async control(...args) {
      const { stdout } = await promisify(execFile)(join(SCRIPTS, 'rabbitmqctl'), ['--quiet', ...args], {
        env,
        timeout: 60_000,
      });
      return stdout;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start,
    close,
  };
}

async function prepare(
  directory: string,
  port: number,
  distributionPort: number,
  epmdPort: number,
): Promise<NodeJS.ProcessEnv> {
  await writeFile(join(directory, 'rabbitmq.conf'), 'disk_free_limit.absolute = 1MB\n');
  await writeFile(join(directory, 'enabled_plugins'), '[].\n');
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    LANG: 'C.UTF-8',
    HOME: directory,
    ERL_EPMD_ADDRESS: ADDRESS,
    ERL_EPMD_PORT: String(epmdPort),
    // The script is then replaced by the broker, so that signals reach the broker itself.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: `ashlar${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: ADDRESS,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(directory, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2',
  };
}

function tlsConfig({ authority, certificate, key }: TestCertificate, port: number): string {
  const files = `cacertfile = ${authority}\nssl_options.certfile = ${certificate}\nssl_options.keyfile = ${key}`;
  return `listeners.ssl.1 = ${ADDRESS}:${port}\nssl_options.${files}\n`;
}

/** In a group of its own, and gone with us even when we are killed. */
function launch(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(pathOf('setpriv')!, ['--pdeathsig', 'KILL', program, ...args], { env, detached: true, stdio: 'ignore' });
}

async function endGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid, signal);
  await withTimeout(gone, END_TIMEOUT_MS, () => new Error('too late')).catch(async () => {
    process.kill(-child.pid!, 'SIGKILL');
    await gone;
  });
}

/** Taken at once, so that they differ; let go before the servers start. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, ADDRESS);
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A broker answers a wrong greeting with the right one, only once it takes connections. */
async function untilGreeted(port: number): Promise<void> {
  for (;;) {
    if ((await greet(port, 'HELLO')) === 'AMQP') return;
    await sleep(100);
  }
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await greet(port, null)) !== null) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** The first four bytes of the answer, '' without a question, null where nobody listens. */
function greet(port: number, question: string | null): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const done = (answer: string | null) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => done(null));
    socket.on('error', () => done(null));
    socket.on('close', () => done(null));
    socket.on('data', (bytes) => done(bytes.toString('latin1', 0, 4)));
    socket.connect(port, ADDRESS, () => (question === null ? done('') : socket.write(`${question}\0\0\0`)));
  });
}
