/**
 * The kernel's configuration file system, where LIO and nvmet are set up: reading it takes no rights (but for secrets),
 * changing it takes root, so a service without asks its privileged helper for the same effect.
 */
import { constants } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { failpoint } from '../lib/failpoint.ts';
import { failure } from '../model/errors.ts';
import { CommandError, type Executor } from './executor.ts';

/** One change. Each may be taken again: what is there already, or gone already, is fine. */
export type Step =
  | { readonly op: 'mkdir'; readonly path: string }
  /**
   * Into a file that the kernel made. A secret is kept out of the helper's argv, by which its filters judge all others.
   * `note` says in an error what the write is for.
   */
  | {
      readonly op: 'write';
      readonly path: string;
      readonly value: string;
      readonly secret?: boolean;
      readonly note?: string;
    }
  | { readonly op: 'link'; readonly path: string; readonly target: string }
  /** A symlink or a directory. */
  | { readonly op: 'remove'; readonly path: string };

export interface ConfigFs {
  /** Names in a directory; null where it is not there. */
  list(path: string): Promise<readonly string[] | null>;
  /** A value without its line break; null where the file is not there. */
  read(path: string): Promise<string | null>;
  /** The absolute path that a symlink names; null where there is none. */
  target(path: string): Promise<string | null>;
  take(step: Step): Promise<void>;
}

const TIMEOUT_MS = 60_000;

export function openConfigFs(executor: Executor): ConfigFs {
  const verb = async (argv: readonly [string, ...string[]], input?: string) => {
    const command = { argv, privileged: true, timeoutMs: TIMEOUT_MS } as const;
    return (await executor.run(input === undefined ? command : { ...command, input })).stdout;
  };
  return {
    list: (path) => orNull(readdir(path)),
    async read(path) {
      const text = await orNull(readFile(path, 'utf8')).catch((error: NodeJS.ErrnoException) => {
        // Secrets are shown to root alone.
        if (executor.viaHelper === true && (error.code === 'EPERM' || error.code === 'EACCES')) {
          return verb(['@read', path]);
        }
        throw refusal({ op: 'read', path }, error);
      });
      // LIO ends some values with zero bytes, others with several line breaks.
      return text?.replace(/[\n\0]+$/, '') ?? null;
    },
    async target(path) {
      const said = await orNull(readlink(path));
      return said === null ? null : resolve(dirname(path), said);
    },
    async take(step) {
      failpoint(`configfs.${step.op}.before`);
      executor.mayAct?.();
      try {
        const { argv, input } = helperWords(step);
        if (executor.viaHelper === true) await verb(argv, input);
        else await act(step);
      } catch (error) {
        throw refusal(step, error);
      }
      failpoint(`configfs.${step.op}.after`);
    },
  };
}

/** In order. May be cut off anywhere: whoever planned them plans again from what is there then. */
export async function takeSteps(configFs: ConfigFs, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await configFs.take(step);
}

async function act(step: Step): Promise<void> {
  switch (step.op) {
    case 'mkdir':
      return await unless('EEXIST', mkdir(step.path));
    case 'write':
      // The kernel made the file, some for writing alone; a new one would be a mistake.
      return await writeFile(step.path, step.value, { flag: constants.O_WRONLY });
    case 'link':
      return await unless('EEXIST', symlink(step.target, step.path));
    case 'remove':
      return await unless(
        'ENOENT',
        unlink(step.path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EISDIR' && error.code !== 'EPERM') throw error;
          return rmdir(step.path);
        }),
      );
  }
}

/** A change in the words of the helper's verbs, with what goes in by stdin. */
export function helperWords(step: Step): { readonly argv: readonly [string, ...string[]]; readonly input?: string } {
  if (step.op === 'link') return { argv: ['@link', step.target, step.path] };
  if (step.op !== 'write') return { argv: [`@${step.op}`, step.path] };
  return step.secret === true
    ? { argv: ['@write', step.path], input: step.value }
    : { argv: ['@write', step.path, step.value] };
}

async function unless(code: string, effect: Promise<unknown>): Promise<void> {
  await effect.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== code) throw error;
  });
}

async function orNull<T>(work: Promise<T>): Promise<T | null> {
  return await work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** A sentence without the value, which may be a secret. */
function refusal(step: Pick<Step, 'path'> & { readonly op: string; readonly note?: string }, error: unknown): unknown {
  const code = codeOf(error);
  if (code === null) return error;
  const what = step.note === undefined ? `'${step.op} ${step.path}'` : `${step.note} ('${step.op} ${step.path}')`;
  return failure(
    'VolumeBackendAPIException',
    { reason: `the kernel refused ${what}: ${code}. Its log may say more.` },
    error,
  );
}

function codeOf(error: unknown): string | null {
  if (error instanceof CommandError) return /^@\w+: (\w+)$/m.exec(error.result?.stderr ?? '')?.[1] ?? null;
  return (error as NodeJS.ErrnoException).code?.startsWith('E') === true
    ? (error as NodeJS.ErrnoException).code!
    : null;
}
