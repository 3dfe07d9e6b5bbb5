import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { id, startApi, volume, volumesHandler } from './api-double.ts';
import { envOf, run } from './run.ts';

const TIMEOUT_MS = 30_000;
const show = ['volume', 'show', '-f', 'value', '-c', 'id'];

describe('a name or an id', { timeout: TIMEOUT_MS }, () => {
  it('that looks like an id is tried as one first, without a list', async () => {
    await using api = await startApi(volumesHandler([volume(1)], () => {}));
    const { out } = await run([...show, id(1)], { env: envOf(api) });
    assert.equal(out, `${id(1)}\n`);
    assert.deepEqual(
      api.seen.map(({ path }) => path),
      [`/volumes/${id(1)}`],
    );
  });

  it('that looks like an id and is none may still be a name', async () => {
    await using api = await startApi(volumesHandler([volume(1, { name: id(77) })], () => {}));
    assert.equal((await run([...show, id(77)], { env: envOf(api) })).out, `${id(1)}\n`);
  });

  it('prefers the id where both fit', async () => {
    await using api = await startApi(volumesHandler([volume(1), volume(2, { name: id(1) })], () => {}));
    assert.equal((await run([...show, id(1)], { env: envOf(api) })).out, `${id(1)}\n`);
  });

  it('that several have is an error that names them all', async () => {
    const volumes = [1, 2, 3].map((number) => volume(number, { name: 'twin' }));
    await using api = await startApi(volumesHandler(volumes, () => {}));
    const { code, out, err } = await run(['volume', 'delete', 'twin'], { env: envOf(api) });
    assert.deepEqual([code, out], [4, '']);
    for (const number of [1, 2, 3]) assert.ok(err.includes(id(number)));
    assert.deepEqual(api.changes(), []);
  });

  it('is compared whole, even where the API filters by part of it', async () => {
    await using api = await startApi(() => ({ body: { volumes: [volume(1, { name: 'data-old' })] } }));
    const { code, err } = await run([...show, 'data'], { env: envOf(api) });
    assert.equal(code, 4);
    assert.match(err, /no volume with the name or id 'data'. See: ashlar volume list/);
  });

  for (const name of ['a b', 'a/b?c&d=e#f', '数据', "it's", 'x'.repeat(300), '%41', '../types']) {
    it(`may be ${JSON.stringify(name.slice(0, 20))}`, async () => {
      await using api = await startApi(volumesHandler([volume(1, { name })], () => {}));
      assert.equal((await run([...show, name], { env: envOf(api) })).out, `${id(1)}\n`);
    });
  }

  it('cannot be empty', async () => {
    await using api = await startApi(() => undefined);
    const { code } = await run([...show, ' '], { env: envOf(api) });
    assert.deepEqual([code, api.seen.length], [2, 0]);
  });
});
