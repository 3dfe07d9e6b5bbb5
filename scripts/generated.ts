import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderOpenApi } from '../src/api/openapi.ts';
import { optionGroups } from '../src/cmd/options.ts';
import { renderSample } from '../src/config/sample.ts';
import { renderFilters } from './render-filters.ts';
import { renderMetrics } from './render-metrics.ts';
import { renderTransitions } from './render-transitions.ts';

export interface GeneratedFile {
  /** From the checkout's root. */
  readonly path: string;
  /** What it holds now; null where it is missing. */
  readonly current: string | null;
  readonly wanted: string;
}

/** Everything that is generated, one line each. A text between markers keeps what stands around it. */
const generators: readonly { readonly path: string; readonly make: (current: string) => string }[] = [
  { path: 'etc/ashlar.conf.sample', make: () => renderSample(optionGroups) },
  { path: 'docs/openapi.json', make: () => renderOpenApi() },
  { path: 'etc/README.md', make: (current) => replaceMarked(current, 'filters', renderFilters()) },
  { path: 'src/service/README.md', make: (current) => replaceMarked(current, 'metrics', renderMetrics()) },
  { path: 'src/model/README.md', make: (current) => replaceMarked(current, 'transitions', renderTransitions()) },
];

/** Every generated file as it is and as it should be. Reads, writes nothing. */
export function generatedFiles(root: string): Promise<readonly GeneratedFile[]> {
  return Promise.all(
    generators.map(async ({ path, make }) => {
      const current = await readFile(join(root, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      return { path, current, wanted: make(current ?? '') };
    }),
  );
}

/** Puts text between `<!-- generated: name -->` and `<!-- end: name -->`; throws where the markers are missing. */
export function replaceMarked(current: string, name: string, text: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const from = current.indexOf(begin);
  const to = current.indexOf(end);
  if (from === -1 || to < from) throw new Error(`The markers ${begin} and ${end} are missing; put them in.`);
  return `${current.slice(0, from + begin.length)}\n${text}\n${current.slice(to)}`;
}
