/** rootwrap.conf and *.filters: from text to values. The format is oslo.rootwrap's; ArgvFilter and [Shapes] are ours. Pure. */

export class ConfigError extends Error {}

export interface Settings {
  readonly filtersPath: readonly string[];
  readonly execDirs: readonly string[];
  readonly useSyslog: boolean;
  readonly syslogFacility: string;
  readonly syslogLevel: 'debug' | 'info' | 'warning' | 'err';
  /** Open files that a command may have. */
  readonly rlimitNofile: number;
}

export const KINDS = [
  ...['CommandFilter', 'RegExpFilter', 'PathFilter', 'EnvFilter', 'ReadFileFilter', 'KillFilter'],
  ...['IpFilter', 'IpNetnsExecFilter', 'ChainingRegExpFilter', 'ArgvFilter'],
] as const;

export interface Filter {
  readonly name: string;
  readonly kind: string;
  /** The program, by name or path; of ReadFileFilter the file, of ArgvFilter perhaps a verb (`@write`). */
  readonly exec: string;
  readonly runAs: string;
  readonly args: readonly string[];
  /** ArgvFilter's alone: assignments, program and arguments. */
  readonly pattern: readonly Part[];
}

/** One argument, or a group of them: `( --addtag {tag} )*` any number of times, `( … )?` at most once. */
export type Part =
  | { readonly kind: 'argument'; readonly text: string; readonly matches: RegExp; readonly trusted: readonly string[] }
  | { readonly kind: 'group'; readonly parts: readonly Part[]; readonly repeat: '*' | '?' };

const LEVELS = {
  debug: 'debug',
  info: 'info',
  warning: 'warning',
  warn: 'warning',
  error: 'err',
  critical: 'err',
} as const;
const DEFAULT_DIRS = '/usr/local/sbin,/usr/local/bin,/usr/sbin,/usr/bin,/sbin,/bin';

export function parseSettings(text: string): Settings {
  const values = new Map(parseIni(text).get('DEFAULT') ?? []);
  const list = (value: string) =>
    value
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  const filtersPath = list(values.get('filters_path') ?? '');
  if (filtersPath.length === 0) throw new ConfigError('filters_path is missing: name the directories of the filters');
  const nofile = values.get('rlimit_nofile') ?? '1024';
  if (!/^[1-9]\d{1,6}$/.test(nofile)) throw new ConfigError(`rlimit_nofile '${nofile}' is no number from 10 on`);
  const level = (values.get('syslog_log_level') ?? 'ERROR').toLowerCase();
  if (!Object.hasOwn(LEVELS, level)) throw new ConfigError(`syslog_log_level '${level}' is none`);
  const facility = (values.get('syslog_log_facility') ?? 'syslog').toLowerCase().replace(/^log_/, '');
  if (!/^[a-z]+\d?$/.test(facility)) throw new ConfigError(`syslog_log_facility '${facility}' is none`);
  return {
    filtersPath,
    execDirs: list(values.get('exec_dirs') ?? DEFAULT_DIRS),
    useSyslog: /^(1|yes|true|on)$/i.test(values.get('use_syslog') ?? 'false'),
    syslogFacility: facility,
    syslogLevel: LEVELS[level as keyof typeof LEVELS],
    rlimitNofile: Number(nofile),
  };
}

/** The filters of one file. A kind that nobody knows is passed over, as oslo.rootwrap does: it allows nothing. */
export function parseFilters(text: string): Filter[] {
  const sections = parseIni(text);
  const shapes = new Map<string, string>();
  for (const [name, value] of sections.get('Shapes') ?? []) {
    const trusted = value.startsWith('trusted:') ? 'trusted:' : '';
    const source = value.slice(trusted.length).replace(/\{([a-z_]+)\}/g, (_, other: string) => plain(shapes, other));
    compile(source, `shape ${name}`);
    shapes.set(name, trusted + source);
  }
  return (sections.get('Filters') ?? []).flatMap(([name, value]) => {
    const [kind = '', ...words] = value.split(',').map((word) => word.trim());
    if (!(KINDS as readonly string[]).includes(kind)) return [];
    const make = (exec = '', runAs = '', args: string[] = [], pattern: Part[] = []): Filter[] => {
      if (exec === '' || runAs === '') throw new ConfigError(`filter ${name}: a program and a user are missing`);
      return [{ name, kind, exec, runAs, args, pattern }];
    };
    if (kind === 'ReadFileFilter') return make(words[0], 'root');
    if (kind === 'KillFilter') return make('kill', words[0], words.slice(1));
    if (kind === 'ArgvFilter') {
      // The pattern may have commas of its own.
      const pattern = value.split(',').slice(3).join(',').trim();
      return make(words[0], words[1], [], parsePattern(splitWords(pattern, name), shapes, name));
    }
    const [exec = '', runAs, ...args] = words;
    const assignments = args.findIndex((word) => !word.includes('='));
    if (kind !== 'EnvFilter' || !exec.includes('env') || assignments === -1) return make(exec, runAs, args);
    return make(args[assignments], runAs, args.slice(0, assignments));
  });
}

/** Words apart at blanks; '…' holds blanks together. */
function splitWords(text: string, name: string): string[] {
  if (text.split("'").length % 2 === 0) throw new ConfigError(`filter ${name}: a quotation mark has no partner`);
  return (text.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

function parsePattern(words: string[], shapes: ReadonlyMap<string, string>, name: string): Part[] {
  const stack: Part[][] = [[]];
  for (const word of words) {
    if (word === '(') stack.push([]);
    else if (word === ')*' || word === ')?') {
      const parts = stack.pop()!;
      // A group in a group could match nothing without end.
      if (stack.length !== 1 || parts.length === 0) throw new ConfigError(`filter ${name}: '${word}' ends nothing`);
      stack.at(-1)!.push({ kind: 'group', parts, repeat: word === ')*' ? '*' : '?' });
    } else stack.at(-1)!.push(parseArgument(word, shapes, name));
  }
  if (stack.length !== 1 || stack[0]!.length === 0) throw new ConfigError(`filter ${name}: its pattern is not whole`);
  return stack[0]!;
}

/** `of={device}`: text as it is, and shapes. A shape marked `trusted:` is a path that root alone can change. */
function parseArgument(word: string, shapes: ReadonlyMap<string, string>, name: string): Part {
  const trusted: string[] = [];
  const source = word.replace(/\{([a-z_]+)\}|[^\w]/g, (text, shape?: string) => {
    if (shape === undefined) return `\\u${text.charCodeAt(0).toString(16).padStart(4, '0')}`;
    const value = shapes.get(shape);
    if (value === undefined) throw new ConfigError(`filter ${name}: there is no shape {${shape}}`);
    if (!value.startsWith('trusted:')) return `(?:${value})`;
    trusted.push(`path${trusted.length}`);
    return `(?<path${trusted.length - 1}>${plain(shapes, shape)})`;
  });
  return { kind: 'argument', text: word, matches: compile(source, `filter ${name}`), trusted };
}

function plain(shapes: ReadonlyMap<string, string>, name: string): string {
  const value = shapes.get(name);
  if (value === undefined) throw new ConfigError(`there is no shape {${name}} above`);
  return `(?:${value.replace(/^trusted:/, '')})`;
}

function compile(source: string, what: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    throw new ConfigError(`${what}: '${source}' is no regular expression`);
  }
}

/** Sections with their names and values in order; of a name given twice the last stands. */
function parseIni(text: string): Map<string, [string, string][]> {
  const sections = new Map<string, [string, string][]>();
  let section: [string, string][] | undefined;
  let current: [string, string] | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]\s*$/.exec(line);
    const entry = /^([^\s:=][^:=]*?)\s*[:=]\s*(.*?)\s*$/.exec(line);
    if (header !== null) {
      section = sections.get(header[1]!) ?? [];
      sections.set(header[1]!, section);
      current = undefined;
    } else if (/^\s/.test(line) && current !== undefined) current[1] += ` ${line.trim()}`;
    else if (entry !== null && section !== undefined) {
      const name = entry[1]!.toLowerCase();
      const before = section.findIndex(([other]) => other === name);
      if (before !== -1) section.splice(before, 1);
      current = [name, entry[2]!];
      section.push(current);
    } else throw new ConfigError(`line ${index + 1} is neither a section nor 'name: value'`);
  }
  return sections;
}
