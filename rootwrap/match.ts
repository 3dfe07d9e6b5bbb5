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

export interface Run {
  readonly kind: 'run' | 'verb';
  readonly filter: Filter;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

export type Decision = Run | { readonly kind: 'not found'; readonly program: string } | { readonly kind: 'refused' };

/** Arguments for the filter's program. */
interface Allowed {
  readonly args: readonly string[];
  readonly env: Run['env'];
}

const CHAINS = ['ChainingRegExpFilter', 'IpNetnsExecFilter'];
const MAX_ARGUMENTS = 1024;

/** The first filter that allows it and whose program is there decides. */
export function decide(filters: readonly Filter[], argv: readonly string[], look: Look): Decision {
  let decision: Decision = { kind: 'refused' };
  if (argv.length === 0 || argv.length > MAX_ARGUMENTS || argv.some((each) => each.includes('\0'))) return decision;
  for (const filter of filters) {
    const allowed = CHAINS.includes(filter.kind) ? chain(filter, filters, argv, look) : single(filter, argv, look);
    if (allowed === null) continue;
    const { args, env } = allowed;
    if (filter.exec.startsWith('@')) return { kind: 'verb', filter, argv: [filter.exec, ...args], env };
    const program = look.program(filter.kind === 'ReadFileFilter' ? 'cat' : filter.exec);
    if (program !== null) return { kind: 'run', filter, argv: [program, ...args], env };
    if (decision.kind === 'refused') decision = { kind: 'not found', program: filter.exec };
  }
  return decision;
}

/** Null where this filter does not allow it. */
function single(filter: Filter, given: readonly string[], look: Look): Allowed | null {
  const takesEnv = filter.kind === 'EnvFilter' || filter.kind === 'ArgvFilter';
  const argv = takesEnv && given[0] === 'env' ? given.slice(1) : given;
  const start = takesEnv
    ? Math.max(
        0,
        argv.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word)),
      )
    : 0;
  const assignments = argv.slice(0, start).map(splitAssignment);
  const [name = '', ...args] = argv.slice(start);
  const isProgram = name === filter.exec || name === baseName(filter.exec);
  const allowed = (isAllowed: boolean) => (isAllowed ? { args, env: Object.fromEntries(assignments) } : null);
  switch (filter.kind) {
    case 'CommandFilter':
      return allowed(isProgram);
    case 'ArgvFilter':
      // The program's own name stands in the pattern; a path to it does not.
      return allowed(name === baseName(filter.exec) && matchesParts(filter.pattern, argv, look));
    case 'RegExpFilter':
      return allowed(filter.args.length === argv.length && allMatch(filter.args, argv));
    case 'EnvFilter': {
      const env = new Map(assignments);
      const isSet = ([key, value]: [string, string]) => env.has(key) && (value === '' || value === env.get(key));
      const isWhole = assignments.length === filter.args.length && assignments.length > 0;
      return allowed(isProgram && isWhole && filter.args.map(splitAssignment).every(isSet));
    }
    case 'PathFilter': {
      const isPath = (index: number) => filter.args[index]?.startsWith('/') === true;
      const paths = args.map((word, index) => (isPath(index) ? look.realPath(word) : word));
      const fits = (wanted: string, index: number) =>
        isPath(index) ? isWithin(wanted, paths[index]!) : wanted === 'pass' || wanted === paths[index];
      const isAllowed = isProgram && filter.args.length === args.length && filter.args.every(fits);
      return isAllowed ? { args: paths, env: {} } : null;
    }
    case 'ReadFileFilter':
      return allowed(name === 'cat' && args.length === 1 && args[0] === filter.exec);
    case 'KillFilter':
      return allowed(name === 'kill' && mayKill(filter.args, args, look));
    case 'IpFilter':
      // What makes `ip` run programs: `netns exec` in any abbreviation, and files of commands.
      return allowed(name === 'ip' && !args.some((word, at) => /^--?b/.test(word) || isNetnsExec(word, args[at + 1])));
    default:
      return null;
  }
}

/** `ionice -c3 dd …`, `ip netns exec NS …`: the rest has to be allowed on its own, and runs as it was allowed. */
function chain(filter: Filter, filters: readonly Filter[], argv: readonly string[], look: Look): Allowed | null {
  const isNetns = filter.kind === 'IpNetnsExecFilter';
  const length = isNetns ? 4 : filter.args.length;
  if (length === 0 || argv.length <= length) return null;
  const fits = isNetns
    ? filter.runAs === 'root' && argv[0] === 'ip' && isNetnsExec(argv[1], argv[2]) && !argv[3]!.startsWith('-')
    : allMatch(filter.args, argv.slice(0, length));
  if (!fits) return null;
  const leaves = filters.filter(({ kind, runAs }) => runAs === filter.runAs && !CHAINS.includes(kind));
  const rest = decide(leaves, argv.slice(length), look);
  return rest.kind === 'run' ? { args: [...argv.slice(1, length), ...rest.argv], env: rest.env } : null;
}

/** Do the parts match all that is there? */
function matchesParts([part, ...rest]: readonly Part[], argv: readonly string[], look: Look): boolean {
  if (part === undefined) return argv.length === 0;
  if (part.kind === 'group') {
    const again = part.repeat === '*' ? [part] : [];
    const once = argv.length > 0 && matchesParts([...part.parts, ...again, ...rest], argv, look);
    return once || matchesParts(rest, argv, look);
  }
  const match = argv.length > 0 ? part.matches.exec(argv[0]!) : null;
  const trusted = match?.groups?.['trusted'];
  if (match === null || (trusted !== undefined && !look.isTrusted(trusted))) return false;
  return matchesParts(rest, argv.slice(1), look);
}

/** Each argument as a whole; a pattern that is not one (Python's and ours differ) matches nothing. */
function allMatch(patterns: readonly string[], argv: readonly string[]): boolean {
  try {
    return patterns.every((pattern, index) => new RegExp(`^(?:${pattern})$`).test(argv[index]!));
  } catch {
    return false;
  }
}

function mayKill([executable, ...signals]: readonly string[], args: readonly string[], look: Look): boolean {
  const pid = args.at(-1) ?? '';
  const isSignal = signals.length > 0 ? args.length === 2 && signals.includes(args[0]!) : args.length === 1;
  if (executable === undefined || !isSignal || !/^[1-9]\d{0,9}$/.test(pid)) return false;
  const running = look.executableOf(pid);
  return running !== null && (running === executable || running === look.program(executable));
}

function isNetnsExec(word = '', next = ''): boolean {
  return /^net(n|ns)?$/.test(word) && next !== '' && 'exec'.startsWith(next);
}

function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.replace(/\/*$/, '/'));
}

function splitAssignment(word: string): [string, string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
