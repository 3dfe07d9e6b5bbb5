import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  listQuery,
  nextLinks,
  pageOf,
  readBoolean,
  readFilters,
  readPage,
  readSort,
} from '../../../src/api/list-query.ts';
import { isFailure } from '../../../src/model/errors.ts';

const isInvalid = (error: unknown) => isFailure(error, 'InvalidInput');

describe('the query of a list', () => {
  it('takes the last of several values', () => {
    assert.deepEqual(listQuery.parse({ host: 'a', name: ['b', 'c'], empty: [] }), { host: 'a', name: 'c', empty: '' });
  });

  it('cuts the limit, and refuses what is no count', () => {
    assert.deepEqual(readPage({}, 1000), { limit: 1000, offset: 0 });
    assert.deepEqual(readPage({ limit: '5000', offset: '3', marker: 'm' }, 1000), {
      limit: 1000,
      offset: 3,
      marker: 'm',
    });
    assert.deepEqual(readPage({ limit: '0' }, 1000), { limit: 0, offset: 0 });
    for (const bad of ['-1', '1.5', 'x', '', '1e3', '99999999999']) {
      assert.throws(() => readPage({ limit: bad }, 1000), isInvalid, bad);
      assert.throws(() => readPage({ offset: bad }, 1000), isInvalid, bad);
    }
  });

  it('reads both ways of sorting', () => {
    const keys = { name: 'displayName', size: 'sizeGb' } as const;
    assert.deepEqual(readSort({}, keys), [{ key: 'createdAt', dir: 'desc' }]);
    assert.deepEqual(readSort({ sort: 'name:asc, size' }, keys), [
      { key: 'displayName', dir: 'asc' },
      { key: 'sizeGb', dir: 'desc' },
    ]);
    assert.deepEqual(readSort({ sort_key: 'size', sort_dir: 'asc' }, keys), [{ key: 'sizeGb', dir: 'asc' }]);
    for (const bad of [
      { sort: 'secret' },
      { sort: 'constructor' },
      { sort: 'name:up' },
      { sort: 'name', sort_dir: 'asc' },
    ]) {
      assert.throws(() => readSort(bad as Record<string, string>, keys), isInvalid, JSON.stringify(bad));
    }
  });

  it('leaves unknown filters out, or refuses them', () => {
    const query = { name: 'a', shape: 'round', limit: '3', all_tenants: '1' };
    assert.deepEqual(readFilters(query, ['name'], false), { name: 'a' });
    assert.throws(() => readFilters(query, ['name'], true), /shape/);
    assert.deepEqual(readFilters({ name: 'a', all_tenants: '1' }, ['name'], true), { name: 'a' });
  });

  it('reads words for yes and no', () => {
    for (const yes of ['1', 'True', 'yes', ' on ', 'T']) assert.equal(readBoolean('detail', yes), true, yes);
    for (const no of ['0', 'FALSE', 'no', 'off', 'n']) assert.equal(readBoolean('detail', no), false, no);
    assert.throws(() => readBoolean('detail', 'maybe'), /detail must be true or false, not 'maybe'/);
  });

  it('links to the next page of a full page only, without the offset', () => {
    const items = [{ id: 'a' }, { id: 'b' }];
    const query = { limit: '2', offset: '4', name: 'x y' };
    const links = nextLinks('http://h/v3/p/types', query, items, { limit: 2, offset: 4 });
    assert.deepEqual(links, [{ rel: 'next', href: 'http://h/v3/p/types?limit=2&name=x+y&marker=b' }]);
    assert.equal(nextLinks('http://h', {}, items, { limit: 3, offset: 0 }), undefined);
    assert.equal(nextLinks('http://h', {}, [], { limit: 0, offset: 0 }), undefined);
  });

  it('pages through all items, each once, in order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 5 }), (ids, limit) => {
        const items = ids.map((id) => ({ id }));
        const seen: { id: string }[] = [];
        for (let page = pageOf(items, { limit, offset: 0 }); page.length > 0; ) {
          seen.push(...page);
          page = pageOf(items, { limit, offset: 0, marker: page.at(-1)!.id });
        }
        assert.deepEqual(seen, items);
      }),
    );
    assert.throws(
      () => pageOf([{ id: 'a' }], { limit: 1, offset: 0, marker: 'gone' }),
      (error) => isFailure(error, 'NotFound'),
    );
  });
});
