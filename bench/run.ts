/** `npm run bench -- NAME…`: runs bench/NAME/index.ts, which prints its own figures; without a name lists them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const all = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.includes(name));
if (named.length === 0 || unknown.length > 0) {
  console.error(`${unknown.length > 0 ? `There is no bench '${unknown[0]}'. ` : ''}There are: ${all.join(', ')}`);
  process.exitCode = 1;
} else {
  for (const name of named) await import(join(import.meta.dirname, name, 'index.ts'));
}
