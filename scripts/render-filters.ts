/** The table of etc/README.md: each filter, its reason (the comment above it) and what it allows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Filter, parseFilters } from '../rootwrap/filters.ts';

const directory = join(import.meta.dirname, '../etc/rootwrap.d');

export function renderFilters(): string {
  return readdirSync(directory)
    .toSorted()
    .map((file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      const rows = parseFilters(text).map((filter) => renderRow(filter, reasonOf(filter.name, text)));
      return [`### ${file}`, '', '| why | what may be run |', '|---|---|', ...rows, ''].join('\n');
    })
    .join('\n');
}

/** The environment is said once, above the table. */
function renderRow({ args: [pattern = ''] }: Filter, reason: string): string {
  const words = pattern
    .replace(/\( [A-Z_]+=[^ ]* \)\? /g, '')
    .replace(/\( ([^)]*) \)([*?])/g, (_, inner: string, repeat: string) => `[${inner}]${repeat === '*' ? '…' : ''}`);
  return `| ${reason} | \`${words.replaceAll('|', '\\|')}\` |`;
}

function reasonOf(name: string, text: string): string {
  const reason = new RegExp(`^# (.*)\\n${name}: `, 'm').exec(text)?.[1];
  if (reason === undefined) throw new Error(`Filter ${name} has no reason: write it as a comment on the line above.`);
  return reason;
}
