/** May this be run? Pure: what has to be looked up on the machine comes in as `Look`. */
import type { Filter } from './filters.ts';

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

const CHAINS = ['ChainingRegExpFilter', 'IpNetnsExecFilter'];
const IP_NETNS_EXEC = ['ip', 'net(n|ns)?', 'e|ex|exe|exec', '[^-].*'];
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

/** What the filter's program gets. */
type Allowed = { readonly args: readonly string[] } & Pick<Run, 'env'>;

/** `ionice -c3 dd …`, `ip netns exec NS …`: the rest has to be allowed on its own, and runs as it was allowed. */
function chain(filter: Filter, filters: readonly Filter[], argv: readonly string[], look: Look): Allowed | null {
  const own = filter.kind === 'IpNetnsExecFilter' ? IP_NETNS_EXEC : filter.args;
  const { length } = own;
  if (length === 0 || !allMatch(own, argv.slice(0, length))) return null;
  const leaves = filters.filter(({ kind, runAs }) => runAs === filter.runAs && !CHAINS.includes(kind));
  const rest = decide(leaves, argv.slice(length), look);
  return rest.kind === 'run' ? { args: [...argv.slice(1, length), ...rest.argv], env: rest.env } : null;
}

/** Null where this filter does not allow it. */
function single({ kind, exec, args: wanted, pattern }: Filter, given: readonly string[], look: Look): Allowed | null {
  const takesEnv = kind === 'EnvFilter' || kind === 'ArgvFilter';
  const argv = takesEnv && given[0] === 'env' ? given.slice(1) : given;
  const at = takesEnv ? argv.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word)) : 0;
  if (at === -1) return null;
  const assignments = argv.slice(0, at);
  const [name = '', ...args] = argv.slice(at);
  const baseName = exec.slice(exec.lastIndexOf('/') + 1);
  const isProgram = name === exec || name === baseName;
  const env = Object.fromEntries(assignments.map((word) => [word.split('=', 1)[0], word.slice(word.indexOf('=') + 1)]));
  const allowed = (isAllowed: boolean, run = args) => (isAllowed ? { args: run, env } : null);
  switch (kind) {
    case 'CommandFilter':
      return allowed(isProgram);
    case 'ArgvFilter': {
      // The program's own name stands in the pattern; a path to it does not.
      if (name !== baseName || argv.some((word) => word.includes('\n'))) return null;
      const match = pattern!.exec(argv.map((word) => `${word}\n`).join(''));
      const path = match?.groups?.['trusted'];
      return allowed(match !== null && (path === undefined || look.isTrusted(path)));
    }
    case 'RegExpFilter':
      return allowed(allMatch(wanted, argv));
    case 'EnvFilter': {
      // In whatever order they are given; one without a value may have any.
      const isSame = (word: string, index: number) =>
        word.endsWith('=') ? assignments.toSorted()[index]!.startsWith(word) : word === assignments.toSorted()[index];
      return allowed(isProgram && at > 0 && at === wanted.length && wanted.toSorted().every(isSame));
    }
    case 'PathFilter': {
      // What was looked at is what is run: the path without symlinks.
      const real = args.map((word, index) => (wanted[index]?.startsWith('/') ? look.realPath(word) : word));
      const fits = (word: string, index: number) =>
        word === 'pass' ||
        word === real[index] ||
        (word.startsWith('/') && real[index]!.startsWith(word.replace(/\/*$/, '/')));
      return allowed(isProgram && wanted.length === args.length && wanted.every(fits), real);
    }
    case 'ReadFileFilter':
      return allowed(name === 'cat' && args.length === 1 && args[0] === exec);
    case 'KillFilter': {
      const [runs = '', ...signals] = wanted;
      const isSignal = signals.length > 0 ? args.length === 2 && signals.includes(args[0]!) : args.length === 1;
      if (name !== 'kill' || !isSignal || !/^[1-9]\d{0,9}$/.test(args.at(-1)!)) return null;
      return allowed([runs, look.program(runs)].includes(look.executableOf(args.at(-1)!) ?? ''));
    }
    case 'IpFilter':
      // What makes `ip` run programs: `netns exec` in any abbreviation, and files of commands.
      return allowed(name === 'ip' && !args.some((word) => /^(e|ex|exe|exec|--?b.*)$/s.test(word)));
    default:
      return null;
  }
}

/** Each argument as a whole; a pattern that is not one (Python's and ours differ) matches nothing. */
function allMatch(patterns: readonly string[], argv: readonly string[]): boolean {
  try {
    return patterns.length === argv.length && patterns.every((each, at) => new RegExp(`^(?:${each})$`).test(argv[at]!));
  } catch {
    return false;
  }
}
