/** May this be run? Pure: what has to be looked up on the machine comes in as `Look`. */
import type { Filter, Part } from './filters.ts';

export interface Look {
  /** The first of that name in exec_dirs (or the absolute path) that can be executed and that root alone can change. */
  program(name: string): string | null;
  /** The path with all symlinks followed, as far as it exists. */
  realPath(path: string): string;
  /** What a process runs; null where there is none. */
  executableOf(pid: string): string | null;
  /** Root alone can change what this path names. */
  isTrusted(path: string): boolean;
}

export type Decision =
  | {
      readonly kind: 'run';
      readonly filter: Filter;
      readonly argv: readonly [string, ...string[]];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'verb'; readonly filter: Filter; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: 'not found'; readonly program: string }
  | { readonly kind: 'refused' };

const CHAINS = ['ChainingRegExpFilter', 'IpNetnsExecFilter'];
const MAX_ARGUMENTS = 1024;
const REFUSED = { kind: 'refused' } as const;

/** The first filter that allows it and whose program is there decides. */
export function decide(filters: readonly Filter[], argv: readonly string[], look: Look): Decision {
  if (argv.length === 0 || argv.length > MAX_ARGUMENTS || argv.some((each) => each.includes('\0'))) return REFUSED;
  let decision: Decision = REFUSED;
  for (const filter of filters) {
    const found = CHAINS.includes(filter.kind) ? chain(filter, filters, argv, look) : single(filter, argv, look);
    if (found.kind === 'run' || found.kind === 'verb') return found;
    if (decision.kind === 'refused') decision = found;
  }
  return decision;
}

function single(filter: Filter, given: readonly string[], look: Look): Decision {
  const takesEnv = filter.kind === 'EnvFilter' || filter.kind === 'ArgvFilter';
  const argv = takesEnv && given[0] === 'env' ? given.slice(1) : given;
  const start = takesEnv ? argv.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word)) : 0;
  if (start === -1 || argv.length === 0) return REFUSED;
  const assignments = argv.slice(0, start);
  const [name = '', ...words] = argv.slice(start);
  const args = allowedArguments(filter, { argv, assignments, name, words }, look);
  if (args === null) return REFUSED;
  if (filter.exec.startsWith('@')) return { kind: 'verb', filter, argv: [name, ...args] };
  const program = look.program(filter.kind === 'ReadFileFilter' ? 'cat' : filter.exec);
  if (program === null) return { kind: 'not found', program: filter.exec };
  const env = Object.fromEntries(assignments.map((word) => splitAssignment(word)));
  return { kind: 'run', filter, argv: [program, ...args], env };
}

interface Given {
  readonly argv: readonly string[];
  readonly assignments: readonly string[];
  readonly name: string;
  readonly words: readonly string[];
}

/** The arguments for the program, or null where this filter does not allow them. */
function allowedArguments(
  filter: Filter,
  { argv, assignments, name, words }: Given,
  look: Look,
): readonly string[] | null {
  const isProgram = name === filter.exec || name === baseName(filter.exec);
  switch (filter.kind) {
    case 'CommandFilter':
      return isProgram ? words : null;
    case 'ArgvFilter': {
      // The program's own name stands in the pattern; a path to it does not.
      if (name !== baseName(filter.exec)) return null;
      return matchParts(filter.pattern, argv, 0, look) === null ? null : words;
    }
    case 'RegExpFilter':
      return filter.args.length === argv.length && allMatch(filter.args, argv) ? words : null;
    case 'EnvFilter': {
      const wanted = filter.args.map(splitAssignment);
      const given = new Map(assignments.map(splitAssignment));
      const same =
        wanted.length > 0 &&
        given.size === wanted.length &&
        assignments.length === wanted.length &&
        wanted.every(([key, value]) => given.has(key) && (value === '' || value === given.get(key)));
      return same && isProgram ? words : null;
    }
    case 'PathFilter': {
      if (!isProgram || filter.args.length !== words.length) return null;
      const paths = words.map((word, index) => (filter.args[index]!.startsWith('/') ? look.realPath(word) : word));
      const fits = filter.args.every((wanted, index) =>
        wanted.startsWith('/') ? isWithin(wanted, paths[index]!) : wanted === 'pass' || wanted === paths[index],
      );
      return fits ? paths : null;
    }
    case 'ReadFileFilter':
      return argv.length === 2 && name === 'cat' && words[0] === filter.exec ? words : null;
    case 'KillFilter':
      return name === 'kill' && mayKill(filter.args, words, look) ? words : null;
    case 'IpFilter':
      return name === 'ip' && !words.some((word, index) => isIpEscape(word, words[index + 1])) ? words : null;
    default:
      return null;
  }
}

/** `ionice -c3 dd …`, `ip netns exec NS …`: the rest has to be allowed on its own, and runs as it was allowed. */
function chain(filter: Filter, filters: readonly Filter[], argv: readonly string[], look: Look): Decision {
  const isNetns = filter.kind === 'IpNetnsExecFilter';
  const length = isNetns ? 4 : filter.args.length;
  const fits = isNetns
    ? filter.runAs === 'root' && argv[0] === 'ip' && /^net(n|ns)?$/.test(argv[1] ?? '') && isExec(argv[2] ?? '')
    : allMatch(filter.args, argv.slice(0, length));
  if (!fits || length === 0 || argv.length <= length || (isNetns && argv[3]!.startsWith('-'))) return REFUSED;
  const leaves = filters.filter(({ kind, runAs }) => runAs === filter.runAs && !CHAINS.includes(kind));
  const rest = decide(leaves, argv.slice(length), look);
  if (rest.kind !== 'run') return REFUSED;
  const program = look.program(filter.exec);
  if (program === null) return { kind: 'not found', program: filter.exec };
  return { kind: 'run', filter, argv: [program, ...argv.slice(1, length), ...rest.argv], env: rest.env };
}

/** Where the argument list ends that the parts match from `at` on; null where they do not match all of the rest. */
function matchParts(parts: readonly Part[], argv: readonly string[], at: number, look: Look): number | null {
  const [part, ...rest] = parts;
  if (part === undefined) return at === argv.length ? at : null;
  if (part.kind === 'group') {
    const again = part.repeat === '*' ? [part] : [];
    return (
      (at < argv.length ? matchParts([...part.parts, ...again, ...rest], argv, at, look) : null) ??
      matchParts(rest, argv, at, look)
    );
  }
  const match = at < argv.length ? part.matches.exec(argv[at]!) : null;
  if (match === null || part.trusted.some((name) => !look.isTrusted(match.groups![name]!))) return null;
  return matchParts(rest, argv, at + 1, look);
}

/** Each argument as a whole; a pattern that is not one (Python's and ours differ) matches nothing. */
function allMatch(patterns: readonly string[], argv: readonly string[]): boolean {
  return patterns.every((pattern, index) => {
    try {
      return argv[index] !== undefined && new RegExp(`^(?:${pattern})$`).test(argv[index]);
    } catch {
      return false;
    }
  });
}

function mayKill([executable, ...signals]: readonly string[], words: readonly string[], look: Look): boolean {
  const pid = words.at(-1) ?? '';
  if (words.length !== (signals.length > 0 ? 2 : 1) || !/^[1-9]\d{0,9}$/.test(pid)) return false;
  if (words.length === 2 && !signals.includes(words[0]!)) return false;
  const running = look.executableOf(pid);
  return (
    running !== null && executable !== undefined && (running === executable || running === look.program(executable))
  );
}

/** What makes `ip` run programs: `netns exec` in any abbreviation, and files of commands. */
function isIpEscape(word: string, next: string | undefined): boolean {
  return /^--?b/.test(word) || (/^net(n|ns)?$/.test(word) && isExec(next ?? ''));
}

function isExec(word: string): boolean {
  return word !== '' && 'exec'.startsWith(word);
}

function isWithin(directory: string, path: string): boolean {
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return path === directory || path.startsWith(prefix);
}

function splitAssignment(word: string): [string, string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
