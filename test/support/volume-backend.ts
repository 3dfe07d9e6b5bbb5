import { type FileHandle, open } from 'node:fs/promises';
import type { Options } from '../../src/config/options.ts';
import type { DriverModule, VolumeDriver } from '../../src/driver/driver.ts';
import type { Executor } from '../../src/driver/executor.ts';
import { createLocalExecutor } from '../../src/exec/executor.ts';
import { throughRealFilters } from './real-filters.ts';
import { createRecorder } from './recorder.ts';

/** Opens a driver with its defaults and the values given, and sets it up. `around` may spoil its commands. */
export async function openDriver(
  module: DriverModule,
  values: Readonly<Record<string, unknown>>,
  around: (executor: Executor) => Executor = (executor) => executor,
): Promise<VolumeDriver> {
  const { log } = createRecorder();
  const driver = module.open({
    backend: 'under-test',
    options: { ...defaultsOf(module.options), ...values },
    executor: around(throughRealFilters(createLocalExecutor({ log, privileged: 'root' }))),
    log,
  });
  await driver.setUp();
  return driver;
}

/** Reads a file or block device. */
export function readBytes(path: string, offset: number, length: number): Promise<Buffer> {
  return withFile(path, 'r', async (file) => (await file.read(Buffer.alloc(length), 0, length, offset)).buffer);
}

/** Writes to a file or block device, on disk when it returns. */
export function writeBytes(path: string, offset: number, bytes: Buffer): Promise<void> {
  return withFile(path, 'r+', async (file) => {
    await file.write(bytes, 0, bytes.length, offset);
    await file.sync();
  });
}

async function withFile<T>(path: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, { default: value }]) => [name, value]));
}
