import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Option, type OptionKind, option } from '../../../src/config/options.ts';
import { convertValue, expandReferences, textOf } from '../../../src/config/values.ts';

function converted(declared: Option<unknown>, ...texts: string[]): unknown {
  const result = convertValue(declared, texts);
  assert.ok(result.ok, result.ok ? '' : result.reason);
  return result.value;
}

function reasonOf(declared: Option<unknown>, text: string): string {
  const converted = convertValue(declared, [text]);
  assert.ok(!converted.ok, `'${text}' was taken`);
  return converted.reason;
}

describe('convertValue', () => {
  it('reads whole numbers within their bounds', () => {
    const size = option.integer(5, 'x', { min: 1, max: 10 });
    assert.equal(converted(size, ' 7 '), 7);
    assert.equal(converted(size, '+1'), 1);
    assert.equal(converted(size, '3', '4'), 4, 'the last of repeated names counts');
    for (const text of ['', '1.0', '0x5', 'five', '1 2', '٣']) assert.match(reasonOf(size, text), /not a whole number/);
    assert.match(reasonOf(size, '0'), /less than 1/);
    assert.match(reasonOf(size, '11'), /more than 10/);
    assert.match(reasonOf(option.integer(0, 'x'), '9007199254740993'), /too large/);
    assert.equal(converted(option.integer(null, 'x'), ''), null);
  });

  it('holds a bound of zero', () => {
    assert.match(reasonOf(option.integer(5, 'x', { min: 0 }), '-1'), /less than 0/);
    assert.match(reasonOf(option.integer(-5, 'x', { max: 0 }), '1'), /more than 0/);
  });

  it('reads numbers, ports, and yes and no in all their forms', () => {
    assert.equal(converted(option.float(1, 'x'), '2.5e1'), 25);
    for (const text of ['', 'nan', 'inf', '1e999', '1,5']) reasonOf(option.float(1, 'x'), text);
    assert.equal(converted(option.port(1, 'x'), '65535'), 65535);
    assert.match(reasonOf(option.port(1, 'x'), '65536'), /more than 65535/);
    for (const text of ['true', 'True', '1', 'YES', ' on '])
      assert.equal(converted(option.boolean(false, 'x'), text), true);
    for (const text of ['false', '0', 'No', 'OFF']) assert.equal(converted(option.boolean(true, 'x'), text), false);
    for (const text of ['', '2', 'y', 'truee']) assert.match(reasonOf(option.boolean(true, 'x'), text), /neither true/);
  });

  it('reads lists', () => {
    const list = option.list([], 'x');
    assert.deepEqual(converted(list, 'a, b ,c'), ['a', 'b', 'c']);
    assert.deepEqual(converted(list, '\na,\nb,'), ['a', 'b'], 'over several lines, with a comma at the end');
    assert.deepEqual(converted(list, ''), []);
    assert.deepEqual(converted(list, `a, "b, c", 'd', e"f`), ['a', 'b, c', 'd', 'e"f']);
    assert.match(reasonOf(list, 'a, "b'), /quote that is not closed/);
  });

  it('reads dicts', () => {
    const dict = option.dict({}, 'x');
    assert.deepEqual({ ...(converted(dict, 'a:1, b : x:y,c:"1,2"') as object) }, { a: '1', b: 'x:y', c: '1,2' });
    assert.deepEqual(Object.keys(converted(dict, '__proto__:1') as object), ['__proto__']);
    assert.match(reasonOf(dict, 'a:1,b'), /key:value/);
    assert.match(reasonOf(dict, ':1'), /key:value/);
    assert.match(reasonOf(dict, 'a:1,a:2'), /'a' twice/);
  });

  it('reads host addresses and refuses what looks like one', () => {
    const address = option.hostAddress('127.0.0.1', 'x');
    for (const text of ['10.0.0.1', '::1', 'fe80::1', 'node-1.example.com', 'localhost', 'a_b'])
      converted(address, text);
    for (const text of ['', '10.0.0.256', '1.2.3', '-a', 'a b', 'a..b', 'x'.repeat(64), 'a;b', 'a\nb']) {
      assert.match(reasonOf(address, text), /neither an IP address nor a host name/);
    }
  });

  it('holds choices, and takes every text of a multi option', () => {
    const choice = option.string('a', 'x', { choices: ['a', 'b'] });
    assert.equal(converted(choice, 'b'), 'b');
    assert.match(reasonOf(choice, 'B'), /'B' is none of: a, b/);
    assert.deepEqual(converted(option.multi([], 'x'), 'a,b', ' c'), ['a,b', ' c']);
  });

  it('never shows a secret in a reason', () => {
    const pin = option.integer(1, 'x', { secret: true });
    assert.ok(!reasonOf(pin, 'hunter2').includes('hunter2'));
  });

  it('never throws, and what it takes converts to the same value again', () => {
    const kinds: readonly OptionKind[] = [
      'string',
      'integer',
      'float',
      'boolean',
      'list',
      'dict',
      'port',
      'host address',
    ];
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', 'b', ',', ':', '"', "'", ' ', '1', '-', '.', '\n') }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...kinds), text, (kind, text) => {
        const declared: Option<unknown> = { kind, default: '', help: '' };
        const first = convertValue(declared, [text]);
        // An item that holds a comma and both quotes has no plain form.
        if (!first.ok || (/"/.test(text) && /'/.test(text))) return;
        const second = convertValue(declared, [textOf(kind, first.value)]);
        assert.ok(second.ok);
        assert.deepEqual(second.value, first.value);
      }),
    );
  });

  it('reads back any list and dict that textOf writes', () => {
    const item = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes("'"));
    const key = fc.stringMatching(/^[a-z_]{1,8}$/);
    fc.assert(
      fc.property(fc.array(item), fc.dictionary(key, item), (list, dict) => {
        assert.deepEqual(converted(option.list([], 'x'), textOf('list', list)), list);
        assert.deepEqual({ ...(converted(option.dict({}, 'x'), textOf('dict', dict)) as object) }, { ...dict });
      }),
    );
  });
});

describe('expandReferences', () => {
  const expand = (text: string) =>
    expandReferences(text, (name) => (name.startsWith('no') ? { reason: `no ${name}` } : { text: `<${name}>` }));

  it('replaces each form of a reference', () => {
    assert.deepEqual(expand('$a/${b}c $lvm.x ${lvm-1.y}'), { text: '<a>/<b>c <lvm.x> <lvm-1.y>', reasons: [] });
  });

  it('keeps dollars that are doubled, escaped, or before no name', () => {
    assert.deepEqual(expand('$$a \\$b $1 $ ${} 5$'), { text: '$a $b $1 $ ${} 5$', reasons: [] });
  });

  it('leaves a dot at the end of a word alone', () => {
    assert.equal(expand('see $a.').text, 'see <a>.');
  });

  it('collects every reason', () => {
    assert.deepEqual(expand('$no1 $a $no2').reasons, ['no no1', 'no no2']);
  });

  it('leaves text without a dollar alone, and never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const expanded = expand(text).text;
        if (!text.includes('$')) assert.equal(expanded, text);
        assert.equal(expand(text.replaceAll(/\\?\$/g, '$$$$')).text, text.replaceAll(/\\?\$/g, '$$'));
      }),
    );
  });
});
