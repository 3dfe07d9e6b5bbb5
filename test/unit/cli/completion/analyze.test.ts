import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { analyze } from '../../../../src/cli/completion/analyze.ts';
import { buildProgram } from '../../../../src/cli/index.ts';

const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
const program = buildProgram({
  argv: [],
  env: {},
  stdin: Readable.from([]),
  stdout: silent,
  stderr: silent,
  isTty: false,
  stateDirs: [],
});

const words = (...typed: string[]) => analyze(program, typed).candidates.map(({ word }) => word);
const names = (...typed: string[]) => analyze(program, typed).names;

describe('analyze', () => {
  it('offers commands, then their verbs; the hidden command never', () => {
    assert.ok(words('').includes('volume'));
    assert.ok(!words('').includes('__complete'));
    assert.deepEqual(words('snapshot', ''), ['create', 'list', 'show', 'delete', 'help']);
    assert.deepEqual(words('volume', 'list', ''), []);
  });

  it('offers the options of the command and of the program behind a dash', () => {
    const offered = words('volume', 'create', '--');
    for (const option of ['--size', '--no-wait', '--format', '--endpoint', '--help'])
      assert.ok(offered.includes(option));
    assert.ok(!offered.includes('--cascade'));
    assert.deepEqual(words('volume', 'show', '--', '-'), []);
  });

  it('offers the values that an option or argument has', () => {
    assert.deepEqual(words('volume', 'list', '-f', ''), ['table', 'json', 'value']);
    assert.deepEqual(words('volume', 'list', '--format', 'j'), ['table', 'json', 'value']);
    assert.deepEqual(words('completion', ''), ['bash', 'zsh', 'fish']);
  });

  it('knows where a name stands, and of what', () => {
    assert.equal(names('volume', 'show', ''), 'volume');
    assert.equal(names('volume', 'show', 'x', ''), null);
    assert.equal(names('volume', 'delete', 'x', '--cascade', 'y', ''), 'volume');
    assert.equal(names('volume', 'extend', 'x', ''), 'size');
    assert.equal(names('volume', 'create', '--snapshot', ''), 'snapshot');
    assert.equal(names('volume', 'create', '--source', ''), 'volume');
    assert.equal(names('volume', 'create', '--size', '1', '--type', ''), 'type');
    assert.equal(names('volume', 'create', '--name', ''), null);
    assert.equal(names('snapshot', 'list', '--volume', ''), 'volume');
    assert.equal(names('attachment', 'show', ''), 'attachment');
    assert.equal(names('type', 'delete', 'a', ''), 'type');
    assert.equal(names('attachment', 'create', '--multipath', ''), 'volume');
  });

  it('keeps the program options that were typed, wherever they stand', () => {
    const { globals, names: kind } = analyze(program, ['--endpoint', 'u', 'volume', '--state-dir=d', 'show', '']);
    assert.deepEqual([globals, kind], [{ endpoint: 'u', stateDir: 'd' }, 'volume']);
  });
});
