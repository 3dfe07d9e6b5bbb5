/** The project's own filters, for tests: what a driver or target runs with privilege has to pass them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Filter, parseFilters } from '../../rootwrap/filters.ts';
import { decide, type Look } from '../../rootwrap/match.ts';
import type { Executor } from '../../src/driver/executor.ts';

export const ETC = join(import.meta.dirname, '../../etc');

/** Name of the file and its text, with some shapes replaced: a test's volume group is not that of the documentation. */
export function realFilterFiles(shapes: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const directory = join(ETC, 'rootwrap.d');
  return new Map(
    readdirSync(directory).map((name) => {
      const text = readFileSync(join(directory, name), 'utf8');
      const replaced = text.replace(/^([a-z_]+): .*$/gm, (line, shape: string) =>
        Object.hasOwn(shapes, shape) && !line.includes('Filter,') ? `${shape}: ${shapes[shape]}` : line,
      );
      return [name, replaced];
    }),
  );
}

export function realFilters(shapes: Readonly<Record<string, string>> = {}): Filter[] {
  return [...realFilterFiles(shapes).values()].flatMap(parseFilters);
}

/** A machine where every program is there and root owns everything but what is under /tmp and /home. */
export const plainLook: Look = {
  program: (name) => (name.startsWith('/') ? name : `/usr/sbin/${name}`),
  realPath: (path) => path,
  executableOf: () => null,
  isTrusted: (path) => !/^\/(tmp|home)(\/|$)/.test(path),
};

const testFilters = realFilters({
  vg: 'ashlar-test-[0-9]+-[A-Za-z0-9]{6}',
  lvm_dir: '(/var)?/tmp/ashlar-lvm-[A-Za-z0-9]{6}/etc',
  ipc_socket: '/tmp/ashlar-tgt-[A-Za-z0-9]{6}/[a-z/]+',
  backing: '/tmp/ashlar-tgt-[A-Za-z0-9]{6}/devices/[ -~]+',
});

/** Fails for a privileged command that the project's filters would refuse: so every run of a contract suite tries them. */
export function throughRealFilters(executor: Executor): Executor {
  return {
    ...executor,
    async run(command) {
      if (command.privileged === true) {
        const assignments = Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${value}`);
        const argv = assignments.length === 0 ? command.argv : ['env', ...assignments, ...command.argv];
        assert.notEqual(decide(testFilters, argv, plainLook).kind, 'refused', `no filter allows ${argv.join(' ')}`);
      }
      return await executor.run(command);
    },
  };
}
