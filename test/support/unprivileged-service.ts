/**
 * A storage service in little, in a process of its own without rights: driver and target on the privileged helper. Takes
 * one request on each line of stdin, answers with one line each. For test/integration/rootwrap.
 */
import { createInterface } from 'node:readline';
import { tgtTarget } from '../../drivers/target/tgt/index.ts';
import { lvmDriver } from '../../drivers/volume/lvm/index.ts';
import type { Options } from '../../src/config/options.ts';
import type { DriverVolume } from '../../src/driver/driver.ts';
import { CommandError } from '../../src/driver/executor.ts';
import { createExecutor } from '../../src/exec/create-executor.ts';
import { recorderLog } from './recorder-log.ts';

interface Settings {
  readonly program: string;
  readonly config: string;
  readonly privilege: string;
  readonly lvm: Readonly<Record<string, unknown>>;
  readonly tgt: Readonly<Record<string, unknown>>;
}

const settings = JSON.parse(process.argv[2]!) as Settings;
const log = recorderLog();
const executor = createExecutor({
  log,
  uid: process.getuid!(),
  privilege: settings.privilege,
  helper: settings,
  ask: null,
});
const context = { backend: 'under-test', executor, log };
const driver = lvmDriver.open({ ...context, options: { ...defaultsOf(lvmDriver.options), ...settings.lvm } });
const target = tgtTarget.open({ ...context, options: { ...defaultsOf(tgtTarget.options), ...settings.tgt } });

interface Request {
  readonly call: 'setUp' | 'create' | 'export' | 'removeExport' | 'delete' | 'list' | 'run' | 'log';
  readonly volume: DriverVolume;
  readonly devicePath: string;
  readonly chap: { readonly username: string; readonly password: string };
  readonly argv: [string, ...string[]];
}

const calls: Record<Request['call'], (request: Request) => Promise<unknown>> = {
  setUp: async () => {
    await driver.setUp();
    await target.setUp();
    return { uid: process.getuid!() };
  },
  create: ({ volume }) => driver.createVolume(volume),
  export: (request) => target.createExport(request),
  removeExport: ({ volume }) => target.removeExport(volume),
  delete: ({ volume }) => driver.deleteVolume(volume),
  list: async () => [await driver.list(), await target.list()],
  run: ({ argv }) => executor.run({ argv, privileged: true, timeoutMs: 20_000 }),
  log: async () => log.text(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request & { readonly id: number };
  void calls[request.call](request).then(
    (value) => console.log(JSON.stringify({ id: request.id, value: value ?? null })),
    (error: unknown) => {
      const outcome = error instanceof CommandError ? error.outcome : null;
      console.log(JSON.stringify({ id: request.id, error: String(error), outcome }));
    },
  );
}
executor.close();

function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, { default: value }]) => [name, value]));
}
