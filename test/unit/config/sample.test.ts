import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { optionGroups } from '../../../src/cmd/options.ts';
import { type Option, option } from '../../../src/config/options.ts';
import { parseConfigText } from '../../../src/config/parse.ts';
import { renderSample } from '../../../src/config/sample.ts';
import { convertValue } from '../../../src/config/values.ts';

/** The sample with every option line made live. */
const uncommented = (sample: string) => sample.replaceAll(/^#(?=\w+ =)/gm, '');

describe('renderSample', () => {
  it('is a file that sets nothing', () => {
    const { entries, faults } = parseConfigText(renderSample(optionGroups), 'sample');
    assert.deepEqual([entries, faults], [[], []]);
  });

  it('reads as the defaults when every option is made live', () => {
    const { entries, faults } = parseConfigText(uncommented(renderSample(optionGroups)), 'sample');
    assert.deepEqual(faults, []);
    const declared = new Map<string, Option<unknown>>();
    for (const { group, options } of optionGroups) {
      for (const [name, option] of Object.entries(options)) declared.set(`${group}/${name}`, option);
    }
    assert.equal(new Set(entries.map(({ group, name }) => `${group}/${name}`)).size, declared.size);
    for (const [key, option] of declared) {
      const texts = entries.filter(({ group, name }) => `${group}/${name}` === key).map(({ value }) => value);
      if (option.default === null || option.sampleDefault !== undefined) continue;
      if (option.kind === 'multi' && (option.default as readonly string[]).length === 0) continue;
      assert.deepEqual(convertValue(option, texts), { ok: true, value: option.default }, key);
    }
  });

  it('says all there is to say of an option', () => {
    const sample = renderSample([
      { group: 'database', title: 'Database', options: { url: option.string('a', 'Where.', { secret: true }) } },
      {
        group: 'DEFAULT',
        title: 'Things',
        options: {
          size: option.integer(null, 'How large.', { min: 1, max: 9, mutable: true, deprecatedNames: ['old/size'] }),
          kind: option.string('x', 'Which.', { choices: ['x', 'y'] }),
          many: option.multi(['a', 'b'], 'Several.'),
          quoted: option.string('"in quotes" and "more"', 'Odd.'),
          name: option.string('this machine', 'Name.', { sampleDefault: '<name>' }),
        },
      },
    ]);
    const expected = [
      ['[DEFAULT]', ''],
      ['#', '# Things', '#', ''],
      [
        '# How large.',
        '# (integer; at least 1; at most 9; not set by default; may change at a reload; formerly old/size)',
      ],
      ['#size =', ''],
      ['# Which.', '# (string; one of: x, y)', '#kind = x', ''],
      ['# Several.', '# (string, may be given several times)', '#many = a', '#many = b', ''],
      ['# Odd.', '# (string)', '#quoted = ""in quotes" and "more""', ''],
      ['# Name.', '# (string)', '#name = <name>', ''],
      ['[database]', ''],
      ['#', '# Database', '#', ''],
      ['# Where.', '# (string; a secret: never logged)', '#url = a', ''],
    ];
    assert.equal(sample.slice(sample.indexOf('\n[DEFAULT]') + 1), expected.flat().join('\n'));
  });

  it('shows what two parts declare alike once, and refuses what they declare differently', () => {
    const part = (value: number) => ({
      group: 'DEFAULT',
      title: `T${value}`,
      options: { x: option.integer(value, 'X.') },
    });
    assert.equal(renderSample([part(1), part(1)]).match(/#x = 1/g)?.length, 1);
    assert.throws(() => renderSample([part(1), part(2)]), /\[DEFAULT\] x is declared twice in different ways/);
  });
});
