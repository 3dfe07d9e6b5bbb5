/** rootwrap.conf and *.filters: from text to values. The format is oslo.rootwrap's; ArgvFilter and [Shapes] are ours. Pure. */

export class ConfigError extends Error {}

export interface Settings {
  readonly filtersPath: readonly string[];
  readonly execDirs: readonly string[];
  readonly useSyslog: boolean;
  readonly syslogFacility: string;
  /** Every command, not refusals alone. */
  readonly logsCommands: boolean;
  /** Open files that a command may have. */
  readonly rlimitNofile: number;
}

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

/**
 * One argument, whose group `trusted` has to be a path that root alone can change; or a group of arguments:
 * `( --addtag {tag} )*` any number of times, `( … )?` at most once.
 */
export type Part =
  | { readonly kind: 'argument'; readonly text: string; readonly matches: RegExp }
  | { readonly kind: 'group'; readonly parts: readonly Part[]; readonly repeat: '*' | '?' };

const KINDS = /^(Command|RegExp|Path|Env|ReadFile|Kill|Ip|IpNetnsExec|ChainingRegExp|Argv)Filter$/;
const DEFAULT_DIRS = '/usr/local/sbin,/usr/local/bin,/usr/sbin,/usr/bin,/sbin,/bin';

export function parseSettings(text: string): Settings {
  const values = parseIni(text).get('DEFAULT');
  const list = (value: string) => value.split(/\s*,\s*/).filter((each) => each !== '');
  const one = (name: string, byDefault: string, shape: RegExp) => {
    const value = values?.get(name) ?? byDefault;
    if (!shape.test(value)) throw new ConfigError(`${name} = '${value}' is none`);
    return value.toLowerCase();
  };
  const filtersPath = list(values?.get('filters_path') ?? '');
  if (filtersPath.length === 0) throw new ConfigError('filters_path is missing: name the directories of the filters');
  const level = one('syslog_log_level', 'ERROR', /^(debug|info|warn|warning|error|critical)$/i);
  return {
    filtersPath,
    execDirs: list(values?.get('exec_dirs') ?? DEFAULT_DIRS),
    useSyslog: /^(1|yes|true|on)$/.test(one('use_syslog', 'false', /^/)),
    syslogFacility: one('syslog_log_facility', 'syslog', /^[a-z_]+\d?$/i).replace(/^log_/, ''),
    logsCommands: level === 'debug' || level === 'info',
    rlimitNofile: Number(one('rlimit_nofile', '1024', /^[1-9]\d{1,6}$/)),
  };
}

/** The filters of one file. A kind that nobody knows is passed over, as oslo.rootwrap does: it allows nothing. */
export function parseFilters(text: string): Filter[] {
  const sections = parseIni(text);
  const shapes = new Map<string, string>();
  for (const [name, value] of sections.get('Shapes') ?? []) {
    const source = value.replace(/^trusted:/, '').replace(/\{([a-z_]+)\}/g, (_, other: string) => {
      return shapes.get(other) ?? refuse(`shape ${name}`, `there is no shape {${other}} above`);
    });
    compile(source, `shape ${name}`);
    shapes.set(name, value.startsWith('trusted:') ? `(?<trusted>${source})` : `(?:${source})`);
  }
  return [...(sections.get('Filters') ?? [])].flatMap(([name, value]) => {
    const [kind = '', ...words] = value.split(',').map((word) => word.trim());
    if (!KINDS.test(kind)) return [];
    const make = (exec = '', runAs = '', args: string[] = [], pattern: Part[] = []): Filter[] => {
      if (exec === '' || runAs === '') refuse(`filter ${name}`, 'a program and a user are missing');
      return [{ name, kind, exec, runAs, args, pattern }];
    };
    if (kind === 'ReadFileFilter') return make(words[0], 'root');
    if (kind === 'KillFilter') return make('kill', words[0], words.slice(1));
    // The pattern may have commas of its own.
    const pattern = value.split(',').slice(3).join(',');
    if (kind === 'ArgvFilter') return make(words[0], words[1], [], parsePattern(pattern, shapes, `filter ${name}`));
    const [exec = '', runAs, ...args] = words;
    const program = args.findIndex((word) => !word.includes('='));
    if (kind !== 'EnvFilter' || !exec.includes('env') || program === -1) return make(exec, runAs, args);
    return make(args[program], runAs, args.slice(0, program));
  });
}

/** Words apart at blanks; '…' holds blanks together. */
function parsePattern(text: string, shapes: ReadonlyMap<string, string>, what: string): Part[] {
  if (text.split("'").length % 2 === 0) refuse(what, 'a quotation mark has no partner');
  const whole: Part[] = [];
  let group: Part[] | null = null;
  for (const word of text.match(/(?:'[^']*'|[^\s'])+/g) ?? []) {
    if (word === ')*' || word === ')?') {
      if (group === null || group.length === 0) refuse(what, `'${word}' ends nothing`);
      whole.push({ kind: 'group', parts: group, repeat: word === ')*' ? '*' : '?' });
      group = null;
    } else if (word !== '(') (group ?? whole).push(parseArgument(word.replaceAll("'", ''), shapes, what));
    // A group in a group could match nothing without end.
    else if (group === null) group = [];
    else refuse(what, 'there is a group in a group');
  }
  if (group !== null || whole.length === 0) refuse(what, 'its pattern is not whole');
  return whole;
}

/** `of={device}`: text as it is, and shapes. */
function parseArgument(text: string, shapes: ReadonlyMap<string, string>, what: string): Part {
  const source = text.replace(/\{([a-z_]+)\}|[^\w]/g, (character, shape?: string) => {
    if (shape !== undefined) return shapes.get(shape) ?? refuse(what, `there is no shape {${shape}}`);
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return { kind: 'argument', text, matches: compile(source, what) };
}

function compile(source: string, what: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    return refuse(what, `'${source}' is no regular expression`);
  }
}

function refuse(what: string, why: string): never {
  throw new ConfigError(`${what}: ${why}`);
}

/** Sections with their names and values in order; of a name given twice the last stands. */
function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let name: string | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    const [, key, value = ''] = /^([^\s:=][^:=]*?)\s*[:=]\s*(.*?)\s*$/.exec(line) ?? [];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      name = undefined;
    } else if (section !== undefined && name !== undefined && /^\s/.test(line)) {
      section.set(name, `${section.get(name)} ${line.trim()}`);
    } else if (section !== undefined && key !== undefined) {
      name = key.toLowerCase();
      section.delete(name);
      section.set(name, value);
    } else refuse(`line ${index + 1}`, "neither a section nor 'name: value'");
  }
  return sections;
}
