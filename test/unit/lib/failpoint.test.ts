import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { armFailpoints, failpoint, parseFailpoints } from '../../../src/lib/failpoint.ts';

afterEach(() => armFailpoints(undefined));

describe('failpoint', () => {
  it('does nothing unless armed', () => {
    failpoint('exec.a.before');
  });

  it('throws at the hit that was asked for, and at no other', () => {
    armFailpoints({ actions: parseFailpoints('a.b#2=throw') });
    failpoint('a.b');
    failpoint('other');
    assert.throws(() => failpoint('a.b'), /fail point a\.b \(hit 2\)/);
    failpoint('a.b');
  });

  it('counts anew when it is armed anew, and stops when disarmed', () => {
    const plan = { actions: parseFailpoints('a=throw') };
    armFailpoints(plan);
    assert.throws(() => failpoint('a'));
    failpoint('a');
    armFailpoints(plan);
    assert.throws(() => failpoint('a'));
    armFailpoints(undefined);
    failpoint('a');
  });

  it('traces every point that is passed, in order', () => {
    const names: string[] = [];
    armFailpoints({ actions: new Map(), trace: (name) => names.push(name) });
    for (const name of ['x', 'y', 'x']) failpoint(name);
    assert.deepEqual(names, ['x', 'y', 'x']);
  });

  it('kills the process on the spot', () => {
    const module = join(import.meta.dirname, '../../../src/lib/failpoint.ts');
    const program = `import { armFailpoints, failpoint, parseFailpoints } from ${JSON.stringify(module)};
      armFailpoints({ actions: parseFailpoints('a=kill') });
      process.on('exit', () => console.log('exit handler'));
      console.log('before'); try { failpoint('a'); } finally { console.log('after'); }`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(run.signal, 'SIGKILL');
    assert.equal(run.stdout, 'before\n');
  });
});

describe('parseFailpoints', () => {
  it('reads back every plan', () => {
    const entry = fc.record({
      name: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,20}$/),
      hit: fc.integer({ min: 1, max: 999 }),
      action: fc.constantFrom<'kill' | 'throw'>('kill', 'throw'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name }), (entries) => {
        const text = entries.map(({ name, hit, action }) => `${name}${hit === 1 ? '' : `#${hit}`}=${action}`).join(',');
        assert.deepEqual(
          [...parseFailpoints(text)],
          entries.map(({ name, hit, action }) => [name, { hit, action }]),
        );
      }),
    );
  });

  it('refuses what it cannot read, naming it', () => {
    for (const text of ['a', 'a=die', '=kill', 'a#x=kill', 'a b=kill', 'a=kill;b=kill']) {
      assert.throws(() => parseFailpoints(text), /cannot read '.*', expected name\[#hit\]=kill\|throw/);
    }
    assert.equal(parseFailpoints('').size, 0);
  });
});
