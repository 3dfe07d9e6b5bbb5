/** Says why no pool was taken. Pure. */
import { pinnedHostFilter } from './filters/pinned-host.ts';
import type { Refusal } from './select.ts';

/** What a message column holds is 255 characters; the error's own words stand before the explanation. */
const BRIEF_LIMIT = 220;

/**
 * `brief` for the user: each pool's reason, equal reasons together, the most telling first, at most 220 characters.
 * `full` for the log: every pool, filter and reason. Both begin with `lead`.
 */
export function explain(refused: readonly Refusal[], lead = ''): { readonly brief: string; readonly full: string } {
  if (refused.length === 0) {
    const text = 'no volume service is known; start one and name its backend in enabled_backends';
    return { brief: text, full: text };
  }
  const full = lead + refused.map(({ pool, filter, reason }) => `${pool}: ${reason} (${filter})`).join('; ');
  return { brief: fit(lead, sentences(refused)), full };
}

/** One sentence per reason. That a pool is not the source's place tells nothing where another reason is left. */
function sentences(refused: readonly Refusal[]): string[] {
  const telling = refused.filter(({ filter }) => filter !== pinnedHostFilter.name);
  const pools = new Map<string, string[]>();
  for (const { pool, reason } of telling.length > 0 ? telling : refused) {
    pools.set(reason, [...(pools.get(reason) ?? []), pool]);
  }
  return [...pools].map(([reason, names]) => {
    const others = names.length - 1;
    return `${names[0]}${others > 0 ? ` and ${others} more` : ''}: ${reason.replace(/\s+/g, ' ')}`;
  });
}

function fit(lead: string, parts: readonly string[]): string {
  let text = lead + parts[0]!;
  for (const [index, part] of parts.entries()) {
    if (index === 0) continue;
    const rest = parts.length - index - 1;
    const room = BRIEF_LIMIT - (rest > 0 ? remainder(rest).length : 0);
    if (text.length + 2 + part.length > room) return cut(text, remainder(rest + 1));
    text = `${text}; ${part}`;
  }
  return cut(text, '');
}

function remainder(count: number): string {
  return `; ${count} more in the scheduler's log`;
}

function cut(text: string, end: string): string {
  const room = BRIEF_LIMIT - end.length;
  return (text.length <= room ? text : `${text.slice(0, room - 1)}…`) + end;
}
