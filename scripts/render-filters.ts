/** The table of etc/README.md: each filter, its reason (the comment above it) and what it allows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Filter, type Part, parseFilters } from '../rootwrap/filters.ts';

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

function renderRow(filter: Filter, reason: string): string {
  const words = filter.pattern.length > 0 ? filter.pattern.map(renderPart) : [filter.exec, ...filter.args];
  return `| ${reason} | \`${words
    .filter((word) => word !== '')
    .join(' ')
    .replaceAll('|', '\\|')}\` |`;
}

/** The environment is said once, above the table. */
function renderPart(part: Part): string {
  if (part.kind === 'argument') return part.text.includes(' ') ? `'${part.text}'` : part.text;
  const inner = part.parts.map(renderPart).join(' ');
  return /^[A-Z_]+=/.test(inner) ? '' : part.repeat === '*' ? `[${inner}]…` : `[${inner}]`;
}

function reasonOf(name: string, text: string): string {
  const reason = new RegExp(`^# (.*)\\n${name}: `, 'm').exec(text)?.[1];
  if (reason === undefined) throw new Error(`Filter ${name} has no reason: write it as a comment on the line above.`);
  return reason;
}
