import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changedOptions } from '../../../src/config/changes.ts';
import { option } from '../../../src/config/options.ts';
import { openConfigSources } from '../../../src/config/sources.ts';

const options = {
  debug: option.boolean(false, 'Debug.', { mutable: true }),
  list: option.list([], 'A list.'),
  password: option.string('', 'A secret.', { secret: true }),
};

function valuesOf(text: string) {
  const config = openConfigSources([{ file: 'a.conf', text: `[DEFAULT]\n${text}` }]);
  config.section('DEFAULT', options);
  return config.values();
}

describe('what differs between two readings', () => {
  it('is nothing where only the text differs', () => {
    assert.deepEqual(changedOptions(valuesOf('list = a,b'), valuesOf('# new\nlist = a, b\ndebug = no')), []);
  });

  it('says whether it may change without a restart, and shows no value', () => {
    assert.deepEqual(changedOptions(valuesOf(''), valuesOf('debug = yes\npassword = hidden')), [
      { group: 'DEFAULT', option: 'debug', mutable: true },
      { group: 'DEFAULT', option: 'password', mutable: false },
    ]);
  });

  it('counts an option that one of them does not have', () => {
    const all = valuesOf('');
    assert.deepEqual(changedOptions(all, all.slice(1)), [{ group: 'DEFAULT', option: 'debug', mutable: true }]);
  });
});
