/** `ashlar rpc`: what an operator with a broker and a storage node has. Speaks to any service, Ashlar's or not. */
import { Command } from 'commander';
import type { CliIo } from '../../cli/index.ts';
import { CliFailure, EXIT } from '../../cli/index.ts';
import { isFailure, messageOf } from '../../model/errors.ts';

const DEFAULT_FILE = '/etc/ashlar/ashlar.conf';
const CONFIG_HELP = `oslo.config files, later ones win; without any, ${DEFAULT_FILE}. The broker is their transport_url`;
const KINDS_HELP = `
TOPIC is cinder-volume, cinder-scheduler, or another. With --server node@lvm it is that service, else any of the topic.
A value is JSON where it reads as JSON, else text: size=3 force=true name=x connector='{"host":"a"}'

  ashlar rpc call cinder-volume get_capabilities --server node@lvm discover=false
  ashlar rpc call cinder-scheduler get_pools
  ashlar rpc cast cinder-volume publish_service_capabilities --server node@lvm`;

interface SendOptions {
  readonly server?: string;
  readonly version?: string;
  readonly timeout: string;
  readonly configFile?: string[];
  readonly showSecrets?: boolean;
}

export function rpcCommand(io: CliIo): Command {
  const rpc = new Command('rpc').description('Send a message to any service by hand, or watch what goes by');
  const sending = (kind: 'call' | 'cast', description: string) =>
    new Command(kind)
      .description(description)
      .argument('<topic>', 'cinder-volume, cinder-scheduler, …')
      .argument('<method>', 'what to ask for')
      .argument('[arguments...]', 'key=value')
      .option('--server <name>', 'the one service: node@lvm')
      .option('--version <version>', 'the version to state; else the one that callers of the method state')
      .option('--timeout <seconds>', 'how long to wait', '60')
      .option('--config-file <file...>', CONFIG_HELP)
      .addHelpText('after', KINDS_HELP)
      .action(async (topic: string, method: string, words: string[], options: SendOptions) => {
        const text = await send(kind, { topic, method, words, options });
        io.stdout.write(`${text}\n`);
      });
  const call = sending('call', 'Ask, wait for the answer, and print it as JSON').option(
    '--show-secrets',
    'print passwords in the answer as they are',
  );
  const watch = new Command('watch')
    .description('Print what goes by, a line of JSON each, passwords masked; answers are not seen. Ends with Ctrl-C')
    .argument('[topic]', 'only requests to this topic, and its fan-outs')
    .option('--count <number>', 'end after so many')
    .option('--timeout <seconds>', 'end after this time')
    .option('--config-file <file...>', CONFIG_HELP)
    .action((topic: string | undefined, options: WatchOptions) => watchFor(io, topic ?? null, options));
  return rpc.addCommand(call).addCommand(sending('cast', 'Send, and do not wait')).addCommand(watch);
}

async function send(
  kind: 'call' | 'cast',
  { topic, method, words, options }: { topic: string; method: string; words: string[]; options: SendOptions },
): Promise<string> {
  const [{ readArguments, readTarget, usualVersion }, { formatReply }] = await Promise.all([
    import('../rpc/words.ts'),
    import('../rpc/format.ts'),
  ]);
  const args = asUsage(() => readArguments(words));
  const timeoutMs = seconds('--timeout', options.timeout) * 1000;
  const version = options.version ?? usualVersion(topic, method);
  if (!/^\d+\.\d+$/.test(version)) throw new CliFailure(EXIT.usage, `--version ${version} is not like 3.0`);
  const { openTransport } = await import('../../rpc/create-transport.ts');
  const parts = await transportParts(options.configFile);
  if (parts.url.startsWith('memory:')) throw new CliFailure(EXIT.usage, NO_BROKER);
  const transport = await openTransport(parts);
  try {
    const message = { method, version, args, context: operatorContext() };
    const target = readTarget(topic, options.server);
    if (kind === 'call') {
      const result = await transport.call(target, message, { timeoutMs });
      return formatReply(result, { showSecrets: options.showSecrets === true });
    }
    await withLimit(transport.cast(target, message), timeoutMs);
    return `Sent ${method} to ${[target.topic, target.server].filter(Boolean).join('.')}, request ${message.context.requestId}.`;
  } catch (error) {
    throw asFailure(error);
  } finally {
    await transport.close();
  }
}

interface WatchOptions {
  readonly count?: string;
  readonly timeout?: string;
  readonly configFile?: string[];
}

async function watchFor(io: CliIo, topic: string | null, options: WatchOptions): Promise<void> {
  const limit = options.count === undefined ? Number.POSITIVE_INFINITY : Math.ceil(seconds('--count', options.count));
  const timeoutMs = options.timeout === undefined ? null : seconds('--timeout', options.timeout) * 1000;
  const [{ watchTransport }, { formatPassing }] = await Promise.all([
    import('../../rpc/create-transport.ts'),
    import('../rpc/format.ts'),
  ]);
  const enough = Promise.withResolvers<void>();
  const end = () => enough.resolve();
  let seen = 0;
  const parts = await transportParts(options.configFile);
  if (parts.url.startsWith('memory:')) throw new CliFailure(EXIT.usage, NO_BROKER);
  const watch = await watchTransport(parts, {
    topic,
    onMessage(message) {
      if (seen >= limit) return;
      io.stdout.write(`${formatPassing(message, new Date())}\n`);
      seen += 1;
      if (seen >= limit) end();
    },
  }).catch((error: unknown) => {
    throw asFailure(error);
  });
  const timer = timeoutMs === null ? undefined : setTimeout(end, timeoutMs);
  process.once('SIGINT', end).once('SIGTERM', end);
  // A reader that went away has seen enough.
  io.stdout.on('error', end);
  io.stderr.write(`Watching ${topic ?? 'every topic'}.\n`);
  try {
    const lost = watch.ended.then(() => 'lost' as const);
    if ((await Promise.race([enough.promise, lost])) === 'lost') {
      throw new CliFailure(EXIT.unreachable, 'the connection to the broker is lost');
    }
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', end).removeListener('SIGTERM', end);
    await watch.close();
  }
}

const NO_BROKER =
  'transport_url is memory:, which nobody outside of its process can reach. Name a file with a rabbit:// one.';

async function transportParts(files: readonly string[] = [DEFAULT_FILE]) {
  const [{ loadConfig }, { transportSettings }, { optionGroups }, { createLogger }] = await Promise.all([
    import('../../config/load.ts'),
    import('../transport.ts'),
    import('../options.ts'),
    import('../../log/create-logger.ts'),
  ]);
  try {
    const config = await loadConfig({ files, known: optionGroups });
    const log = createLogger({ level: 'error', name: 'ashlar', destination: 'stderr' });
    const settings = transportSettings(config, log);
    config.finish();
    return settings;
  } catch (error) {
    throw new CliFailure(EXIT.usage, messageOf(error), { cause: error });
  }
}

/** Who asks: the operator at the terminal. */
function operatorContext() {
  const requestId = `req-${crypto.randomUUID()}`;
  return { requestId, userId: 'operator', projectId: null, isAdmin: true, roles: ['admin'] };
}

function seconds(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 86_400) return value;
  throw new CliFailure(EXIT.usage, `${option} ${text}: write a number between 0 and 86400`);
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CliFailure(EXIT.usage, messageOf(error), { cause: error });
  }
}

async function withLimit(work: Promise<void>, timeoutMs: number): Promise<void> {
  const { withTimeout } = await import('../../lib/timers.ts');
  await withTimeout(
    work,
    timeoutMs,
    () => new CliFailure(EXIT.unreachable, 'the broker did not take the message in time'),
  );
}

function asFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  const exitCode = isFailure(error, 'RpcTimeout')
    ? EXIT.waitedTooLong
    : isFailure(error, 'ConnectionFailed')
      ? EXIT.unreachable
      : EXIT.failed;
  const code = isFailure(error) ? `${error.code}: ` : '';
  return new CliFailure(exitCode, `${code}${messageOf(error)}`, { cause: error });
}
