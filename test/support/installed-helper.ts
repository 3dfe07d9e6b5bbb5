/** The privileged helper as a package would install it, and an account without rights that may run it by sudo. Needs root. */
import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { pathOf } from '../../src/exec/executor.ts';
import { ETC, realFilterFiles } from './real-filters.ts';

export interface InstalledHelper {
  /** Root's, readable by all. */
  readonly directory: string;
  readonly program: string;
  readonly config: string;
  /** A user id without any right but that of the sudoers line. */
  readonly uid: number;
  /** A command line that runs another as that user. */
  asUser(...argv: readonly string[]): [string, ...string[]];
  close(): Promise<void>;
}

const SUDOERS = '/etc/sudoers.d';

/** Why there can be none, or null. */
export function whyNoHelper(): string | null {
  if (process.getuid?.() !== 0) return 'installing the helper takes root';
  for (const program of ['sudo', 'setpriv']) if (pathOf(program) === null) return `${program} is not installed`;
  return null;
}

/** `shapes` and `filters` (further files) are the test's own; everything else is as it ships. */
export async function installHelper(
  shapes: Readonly<Record<string, string>> = {},
  filters: Readonly<Record<string, string>> = {},
): Promise<InstalledHelper> {
  // /run is root's, and so are all directories above.
  const directory = await mkdtemp('/run/ashlar-rootwrap-');
  const name = directory.split('-').at(-1)!;
  const user = `ashlar-${name.toLowerCase()}`;
  const sudoers = join(SUDOERS, `ashlar-test-${name}`);
  const close = async () => {
    await rm(sudoers, { force: true });
    try {
      await deleteUser(user);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
  execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', user], { stdio: 'ignore' });
  try {
    const uid = Number(execFileSync('id', ['-u', user], { encoding: 'utf8' }));
    const program = join(directory, 'ashlar-rootwrap');
    const config = join(directory, 'rootwrap.conf');
    await chmod(directory, 0o755);
    await cp(process.execPath, join(directory, 'node'));
    await build({
      entryPoints: [join(import.meta.dirname, '../../rootwrap/main.ts')],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      banner: { js: `#!${join(directory, 'node')}` },
      logLevel: 'error',
    });
    await chmod(program, 0o755);
    await mkdir(join(directory, 'rootwrap.d'));
    for (const [file, text] of [...realFilterFiles(shapes), ...Object.entries(filters)]) {
      await writeFile(join(directory, 'rootwrap.d', file), text);
    }
    await copyReplaced(join(ETC, 'rootwrap.conf'), config, directory);
    await copyReplaced(join(ETC, 'sudoers.d/ashlar'), sudoers, directory, user);
    return {
      directory,
      program,
      config,
      uid,
      asUser: (...argv) => ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', ...argv],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** It cannot be while one of its processes is about to end. */
async function deleteUser(user: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      execFileSync('userdel', [user], { stdio: 'ignore' });
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(50);
    }
  }
}

async function copyReplaced(from: string, to: string, directory: string, user = ''): Promise<void> {
  const text = (await readFile(from, 'utf8'))
    .replaceAll('/usr/bin/ashlar-rootwrap', join(directory, 'ashlar-rootwrap'))
    .replaceAll('/etc/ashlar', directory)
    .replace(/^ashlar /m, `${user} `);
  // Root's mode for sudoers; nobody but root needs to read the rest.
  await writeFile(to, text, { mode: 0o440 });
}
