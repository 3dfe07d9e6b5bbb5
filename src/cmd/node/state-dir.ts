/**
 * The state directory of a node: private to its user, used by one process at a time.
 *
 *   <state>/admin-token      the API's token, 0600, made at the first start
 *   <state>/endpoint.json    where the API of the running node is; the command line reads it
 *   <state>/node.json        what the first start decided: the host's name, the backend
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, realpath } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { removeFile, writeFileAtomically } from '../../lib/files.ts';
import { failure } from '../../model/errors.ts';

export interface StateDir {
  readonly path: string;
  adminToken(): Promise<string>;
  facts(): Promise<NodeFacts>;
  remember(facts: NodeFacts): Promise<void>;
  /** The API's port of the run before, or null. */
  lastApiPort(): Promise<number | null>;
  announce(endpoint: { readonly url: string; readonly project: string }): Promise<void>;
  /** Takes the announcement back and lets another process use the directory. */
  release(): Promise<void>;
}

/** What must stay the same from one start to the next. */
export interface NodeFacts {
  readonly host?: string;
  readonly backend?: 'lvm' | 'file';
}

const endpointShape = z.object({ url: z.string(), project: z.string() });
const factsShape = z.object({ host: z.string().optional(), backend: z.enum(['lvm', 'file']).optional() });

/** Makes the directory where needed and takes it. Throws ServiceUnavailable while another process has it. */
export async function openStateDir(path: string): Promise<StateDir> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  const directory = await realpath(path);
  const lock = await takeLock(directory);
  await mkdir(join(directory, 'log'), { recursive: true, mode: 0o700 });
  const endpointFile = join(directory, 'endpoint.json');
  const factsFile = join(directory, 'node.json');
  const tokenFile = join(directory, 'admin-token');
  return {
    path: directory,
    async adminToken() {
      const known = (await readText(tokenFile))?.trim();
      if (known !== undefined && known !== '') return known;
      const token = randomBytes(24).toString('base64url');
      await writeFileAtomically(tokenFile, `${token}\n`);
      return token;
    },
    facts: async () => readJson(factsFile, factsShape, {}) as Promise<NodeFacts>,
    remember: (facts) => writeFileAtomically(factsFile, `${JSON.stringify(facts, null, 2)}\n`),
    async lastApiPort() {
      const { url } = await readJson(`${endpointFile}.last`, endpointShape, { url: '', project: '' });
      return URL.canParse(url) ? Number(new URL(url).port) : null;
    },
    async announce(endpoint) {
      const text = `${JSON.stringify(endpoint)}\n`;
      await writeFileAtomically(`${endpointFile}.last`, text);
      await writeFileAtomically(endpointFile, text);
    },
    async release() {
      await removeFile(endpointFile);
      await new Promise<void>((resolve) => lock.close(() => resolve()));
    },
  };
}

/**
 * A name in the abstract socket space: the kernel gives it to one process and takes it back when that process ends,
 * however it ends. Nobody is answered there.
 */
async function takeLock(directory: string): Promise<Server> {
  const name = `\0ashlar-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE'
          ? `a node already runs on ${directory}. Stop it, or name another directory with --state-dir.`
          : `the lock of ${directory} cannot be taken: ${error.message}`;
      reject(failure('ServiceUnavailable', { reason }, error));
    });
    server.listen(name, resolve);
  });
  server.unref();
  return server;
}

async function readText(file: string): Promise<string | null> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

async function readJson<T>(file: string, shape: z.ZodType<T>, missing: T): Promise<T> {
  const text = await readText(file);
  if (text === null) return missing;
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    throw failure('ServiceUnavailable', { reason: `${file} cannot be read; mend or remove it` }, error);
  }
}
