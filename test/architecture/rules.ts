import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { ScannedFile } from './scan-source.ts';

/** The floors of src, from the ground. A file imports from its own room or from a lower floor. */
export const floors: readonly (readonly string[])[] = [
  ['lib'],
  ['model', 'config', 'log'],
  ['driver', 'rpcapi'],
  ['db', 'rpc', 'exec', 'coordination'],
  ['service'],
  ['volume', 'scheduler', 'api', 'cli'],
  ['cmd'],
];

/** Which rooms may import a package (or a module of Node that is an outside world of its own). `src` is all of src. */
export const owners: Readonly<Record<string, readonly string[]>> = {
  knex: ['src/db'],
  pg: ['src/db'],
  amqplib: ['src/rpc'],
  execa: ['src/exec'],
  '@vscode/sudo-prompt': ['src/exec'],
  fastify: ['src/api'],
  commander: ['src/cli', 'src/cmd'],
  pino: ['src/log'],
  'prom-client': ['src/service'],
  zod: ['src'],
  'node:child_process': ['src/exec', 'src/cmd', 'rootwrap'],
};

export const MAX_LINES = 400;

/** Every breach of the house's rules, a sentence each: the file, what it does, what to do instead. */
export function findViolations(files: readonly ScannedFile[]): readonly string[] {
  const paths = new Set(files.map((file) => file.path));
  return [
    ...files.flatMap((file) => [...importViolations(file, paths), ...fileViolations(file)]),
    ...findCircles(files).map((circle) => `${circle.join(' -> ')}: a circle of imports; move what both need down`),
  ];
}

/** The file that a relative specifier or '#driver' means; null for a package or a module of Node. */
export function resolveImport(from: string, specifier: string): string | null {
  if (specifier === '#driver') return 'src/driver/index.ts';
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
}

function importViolations(file: ScannedFile, paths: ReadonlySet<string>): readonly string[] {
  return file.imports.flatMap((specifier) => {
    const target = resolveImport(file.path, specifier);
    const reason =
      target === null ? packageViolation(file.path, specifier) : localViolation(file.path, specifier, target, paths);
    return reason === undefined ? [] : [`${file.path} imports '${specifier}': ${reason}`];
  });
}

function packageViolation(from: string, specifier: string): string | undefined {
  if (isBuiltin(specifier) && !specifier.startsWith('node:')) return `write 'node:${specifier}'`;
  const name = specifier.startsWith('node:') ? specifier : packageName(specifier);
  const rooms = owners[name];
  if (rooms === undefined) return specifier.startsWith('node:') ? undefined : 'no room owns this package';
  return rooms.some((room) => from.startsWith(`${room}/`)) ? undefined : `it belongs to ${rooms.join(' and ')} alone`;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function localViolation(
  from: string,
  specifier: string,
  target: string,
  paths: ReadonlySet<string>,
): string | undefined {
  if (target === 'package.json') return from.startsWith('src/cmd/') ? undefined : 'only src/cmd reads the version';
  if (!paths.has(target)) return 'there is no such file in src, drivers or rootwrap';
  const [fromTop, targetTop] = [from.split('/')[0], target.split('/')[0]];
  if (fromTop === 'drivers') {
    if (specifier === '#driver' || driverOf(from) === driverOf(target)) return undefined;
    return "a driver imports '#driver', node: and its own files, nothing else";
  }
  if (fromTop === 'rootwrap') return targetTop === 'rootwrap' ? undefined : 'rootwrap imports its own files alone';
  const [fromFloor, targetFloor] = [floorOf(from), targetTop === 'src' ? floorOf(target) : floors.length - 1];
  if (fromFloor === -1) return `src/${roomOf(from)} has no floor`;
  if (roomOf(from) === roomOf(target) && targetTop === 'src') return undefined;
  // The two ends of the privileged helper's pipe.
  if (target === 'rootwrap/frames.ts' && roomOf(from) === 'exec') return undefined;
  if (targetTop !== 'src') return roomOf(from) === 'cmd' ? undefined : `only src/cmd imports from ${targetTop}`;
  if (targetFloor > fromFloor) return `that is upward, from floor ${fromFloor} to ${targetFloor}`;
  if (targetFloor === fromFloor) return `that is sideways on floor ${fromFloor}; meet on a lower floor`;
  return undefined;
}

/** `drivers/volume/lvm` of all of the driver's files; a driver in one file is named the same without its ending. */
function driverOf(path: string): string {
  return path.split('/').slice(0, 3).join('/').replace(/\.ts$/, '');
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function floorOf(path: string): number {
  return floors.findIndex((rooms) => rooms.includes(roomOf(path)));
}

function fileViolations({ path, lines, processReads }: ScannedFile): readonly string[] {
  const isRoot = path.startsWith('src/cmd/') || path.startsWith('rootwrap/');
  return [
    ...(lines > MAX_LINES ? [`${path} has ${lines} lines, more than ${MAX_LINES}: divide it`] : []),
    ...(/^[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(posix.basename(path)) ? [] : [`${path}: file names are kebab-case`]),
    ...(isRoot
      ? []
      : processReads.map((name) => `${path} reads process.${name}: only src/cmd does; take it as argument`)),
  ];
}

/** Circles of imports, each once, as the paths in order with the first repeated at the end. */
export function findCircles(files: readonly ScannedFile[]): readonly (readonly string[])[] {
  const targets = new Map(
    files.map(({ path, imports }) => [path, imports.flatMap((specifier) => resolveImport(path, specifier) ?? [])]),
  );
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (path: string, above: readonly string[]) => {
    const at = above.indexOf(path);
    if (at !== -1) circles.push([...above.slice(at), path]);
    if (at !== -1 || done.has(path)) return;
    for (const target of new Set(targets.get(path) ?? [])) visit(target, [...above, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return circles;
}
