/** Writes what is generated; with --check writes nothing and ends with 1 where something is stale. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generated.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const stale = (await generatedFiles(root)).filter(({ current, wanted }) => current !== wanted);

for (const { path, wanted } of stale) {
  if (check) {
    console.error(`${path} is stale; run: npm run generate`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), wanted);
    console.error(`${path} written`);
  }
}
