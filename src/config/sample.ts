import { wrapText } from '../lib/wrap-text.ts';
import { BACKEND_DEFAULTS, groupKey, type OptionGroup, sameDeclaration } from './groups.ts';
import type { Option } from './options.ts';
import { textOf } from './values.ts';

/**
 * The sample file: every group, every option with its help, limits and default, all commented out. Pure; the same
 * declarations give the same text. Throws where two declarations of one option differ.
 */
export function renderSample(groups: readonly OptionGroup[]): string {
  const byGroup = Map.groupBy(groups, ({ group }) => groupKey(group));
  const order = [...byGroup.keys()].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return [...introduction, ...order.map((group) => renderGroup(group, byGroup.get(group)!))].join('\n');
}

/** One `name = value` of a file, such that reading it gives the value again. */
export function renderAssignment(name: string, value: string): string {
  const lines = value.split('\n');
  const first = needsQuotes(lines[0]!) ? `"${lines[0]}"` : lines[0]!;
  return [`${name} = ${first}`.trimEnd(), ...lines.slice(1).map((line) => `    ${line}`)].join('\n');
}

const introduction = [
  '# Sample configuration of Ashlar, generated from the declarations of its options.',
  '# Each option stands with its default; take away the # to change it. The format, names and defaults are those of a',
  '# cinder.conf, which is read as it is. $name and $group.name stand for the value of another option, $$ for a dollar.',
  '#',
  '# A backend is a group of its own, named in enabled_backends; what it does not set comes from [backend_defaults]:',
  '#',
  '#   [DEFAULT]',
  '#   enabled_backends = lvm',
  '#',
  '#   [lvm]',
  '#   volume_driver = lvm',
  '#   volume_group = cinder-volumes',
  '',
];

/** DEFAULT first, then what backends share, then by name. */
function rank(group: string): number {
  const first = ['DEFAULT', BACKEND_DEFAULTS];
  return first.includes(group) ? first.indexOf(group) : first.length;
}

function renderGroup(group: string, parts: readonly OptionGroup[]): string {
  const seen = new Map<string, Option<unknown>>();
  const lines = [`[${group}]`, ''];
  for (const { title, options } of parts) {
    const fresh = Object.entries(options).filter(([name, option]) => isFirst(group, name, option, seen));
    if (fresh.length > 0) lines.push('#', `# ${title}`, '#', '');
    for (const [name, option] of fresh) lines.push(...renderOption(name, option), '');
  }
  return lines.join('\n');
}

/** False for an option that another part declared too, in the same way. */
function isFirst(group: string, name: string, option: Option<unknown>, seen: Map<string, Option<unknown>>): boolean {
  const earlier = seen.get(name);
  if (earlier !== undefined && !sameDeclaration(earlier, option)) {
    throw new Error(`[${group}] ${name} is declared twice in different ways; make the declarations equal`);
  }
  seen.set(name, option);
  return earlier === undefined;
}

function renderOption(name: string, option: Option<unknown>): readonly string[] {
  const paragraphs = [...wrapText(option.help, 116), ...wrapText(`(${traits(option).join('; ')})`, 116)];
  return [...paragraphs.map((line) => `# ${line}`), ...assignments(name, option)];
}

function traits({ kind, default: value, min, max, choices, deprecatedNames, secret, mutable }: Option<unknown>) {
  return [
    kind === 'multi' ? 'string, may be given several times' : kind,
    ...(kind === 'port' || min === undefined ? [] : [`at least ${min}`]),
    ...(kind === 'port' || max === undefined ? [] : [`at most ${max}`]),
    ...(choices === undefined ? [] : [`one of: ${choices.join(', ')}`]),
    ...(value === null ? ['not set by default'] : []),
    ...(secret === true ? ['a secret: never logged'] : []),
    ...(mutable === true ? ['may change at a reload'] : []),
    ...(deprecatedNames === undefined ? [] : [`formerly ${deprecatedNames.join(', ')}`]),
  ];
}

function assignments(name: string, option: Option<unknown>): readonly string[] {
  if (option.sampleDefault !== undefined) return [`#${renderAssignment(name, option.sampleDefault)}`];
  if (option.kind !== 'multi') return [`#${renderAssignment(name, textOf(option.kind, option.default))}`];
  const values = option.default as readonly string[];
  return (values.length === 0 ? [''] : values).map((value) => `#${renderAssignment(name, value)}`);
}

/** A value in quotes would lose them, one with white space at an end would lose that: both are put into quotes. */
function needsQuotes(text: string): boolean {
  const first = text[0];
  return text !== text.trim() || ((first === '"' || first === "'") && text.endsWith(first));
}
