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
  /** As they stand in the file; of ArgvFilter its whole pattern is one. */
  readonly args: readonly string[];
  /** ArgvFilter's alone: the command, with a line for each assignment, the program and each argument. */
  readonly pattern: RegExp | null;
}

const KINDS = /^(Command|RegExp|Path|Env|ReadFile|Kill|Ip|IpNetnsExec|ChainingRegExp|Argv)Filter$/;
/** What could match the end of a line, and so more than one argument: a shape names what it allows, not what it does not. */
const NO_SHAPE = /\[\^|\\\w|\(\?|[^ -~]/;
const DIRS = '/usr/local/sbin,/usr/local/bin,/usr/sbin,/usr/bin,/sbin,/bin';

export function parseSettings(text: string): Settings {
  const values = parseIni(text).get('DEFAULT');
  const get = (name: string, byDefault: string, shape: RegExp) => {
    const value = values?.get(name) ?? byDefault;
    return shape.test(value) ? value : refuse(name, `'${value}' is none`);
  };
  const list = (value: string) => value.split(/\s*,\s*/).filter(Boolean);
  return {
    filtersPath: list(get('filters_path', '', /[^\s,]/)),
    execDirs: list(get('exec_dirs', DIRS, /^/)),
    useSyslog: /^(1|yes|true|on)$/i.test(get('use_syslog', 'false', /^/)),
    syslogFacility: get('syslog_log_facility', 'syslog', /^[a-z_]+\d?$/i)
      .toLowerCase()
      .replace(/^log_/, ''),
    logsCommands: /^(debug|info)$/i.test(get('syslog_log_level', 'ERROR', /^(debug|info|warn(ing)?|error|critical)$/i)),
    rlimitNofile: Number(get('rlimit_nofile', '1024', /^[1-9]\d{1,6}$/)),
  };
}

/** The filters of one file. A kind that nobody knows is passed over, as oslo.rootwrap does: it allows nothing. */
export function parseFilters(text: string): Filter[] {
  const sections = parseIni(text);
  const shapes = new Map<string, string>();
  for (const [name, value] of sections.get('Shapes') ?? []) {
    const own = value.replace(/^trusted:/, '');
    if (NO_SHAPE.test(own))
      refuse(`shape ${name}`, '[^…], (?…) and classes like \\s could match more than one argument');
    const source = withShapes(own, shapes, `shape ${name}`, (part) => part);
    compile(source, `shape ${name}`);
    shapes.set(name, own === value ? `(?:${source})` : `(?<trusted>${source})`);
  }
  return [...(sections.get('Filters') ?? [])].flatMap(([name, value]) => {
    const [kind = '', ...words] = value.split(',').map((word) => word.trim());
    if (!KINDS.test(kind)) return [];
    let [exec, runAs, ...args] = words;
    let pattern: RegExp | null = null;
    if (kind === 'ReadFileFilter') runAs = 'root';
    if (kind === 'KillFilter') [exec, runAs, args] = ['kill', words[0], words.slice(1)];
    if (kind === 'EnvFilter' && exec?.includes('env') && args.some((word) => !word.includes('='))) {
      const at = args.findIndex((word) => !word.includes('='));
      [exec, args] = [args[at], args.slice(0, at)];
    }
    if (kind === 'ArgvFilter') {
      // The pattern may have commas of its own.
      args = [value.split(',').slice(3).join(',').trim()];
      pattern = compile(patternOf(args[0]!, shapes, `filter ${name}`), `filter ${name}`);
    }
    if (!exec || !runAs) return refuse(`filter ${name}`, 'a program or a user is missing');
    return [{ name, kind, exec, runAs, args, pattern }];
  });
}

/** Words apart at blanks; '…' holds blanks together. */
function patternOf(text: string, shapes: ReadonlyMap<string, string>, what: string): string {
  const words = text.match(/(?:'[^']*'|[^\s'])+/g) ?? [];
  const shape = words.map((word) => (/^\($|^\)[*?]$/.test(word) ? word[0] : 'w')).join('');
  // A group in a group could match nothing without end.
  if (text.split("'").length % 2 === 0 || !/^(w|\(w+\))+$/.test(shape))
    refuse(what, 'its marks or groups are not whole');
  return words
    .map((word, at) => {
      if (shape[at] !== 'w') return word.replace('(', '(?:');
      return `${withShapes(word.replaceAll("'", ''), shapes, what, literal)}\\n`;
    })
    .join('');
}

/** `of={device}`: the shapes, and between them what `other` makes of the text. */
function withShapes(
  text: string,
  shapes: ReadonlyMap<string, string>,
  what: string,
  other: (part: string) => string,
): string {
  return text.replace(/\{([a-z_]+)\}|[^{]+|\{/g, (part, shape?: string) =>
    shape === undefined ? other(part) : (shapes.get(shape) ?? refuse(what, `there is no shape {${shape}} above`)),
  );
}

/** As a regular expression that matches this alone. */
function literal(text: string): string {
  return text.replace(/\W/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
  let name = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const [, header] = /^\[([^\]]+)\]\s*$/.exec(line) ?? [];
    const [, key, value = ''] = /^([^\s:=][^:=]*?)\s*[:=]\s*(.*?)\s*$/.exec(line) ?? [];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      name = '';
    } else if (section !== undefined && key !== undefined) {
      name = key.toLowerCase();
      section.delete(name);
      section.set(name, value);
    } else if (name !== '' && /^\s/.test(line)) section!.set(name, `${section!.get(name)} ${line.trim()}`);
    else refuse(`the line '${line.slice(0, 100)}'`, "neither a section nor 'name: value'");
  }
  return sections;
}
