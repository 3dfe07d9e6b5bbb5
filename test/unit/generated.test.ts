import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generatedFiles, replaceMarked } from '../../scripts/generated.ts';

const root = join(import.meta.dirname, '../..');

describe('generated files', () => {
  it('are as they would be generated now', async () => {
    const files = await generatedFiles(root);
    assert.ok(files.length >= 2);
    for (const { path, current, wanted } of files) {
      assert.equal(current, wanted, `${path} is stale; run: npm run generate`);
    }
  });

  it('keep what stands around the markers', () => {
    const text = 'above\n<!-- generated: x -->\nold\n<!-- end: x -->\nbelow\n';
    const replaced = replaceMarked(text, 'x', 'new');
    assert.equal(replaced, 'above\n<!-- generated: x -->\nnew\n<!-- end: x -->\nbelow\n');
    assert.equal(replaceMarked(replaced, 'x', 'new'), replaced);
  });

  it('need their markers', () => {
    assert.throws(() => replaceMarked('nothing here', 'x', 'new'), /markers .* are missing/);
    assert.throws(() => replaceMarked('<!-- end: x --><!-- generated: x -->', 'x', 'new'), /markers .* are missing/);
  });
});
