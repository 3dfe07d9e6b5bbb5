import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noauthStrategy, tokenStrategy } from '../../../src/api/auth.ts';

describe('the admin token', () => {
  const strategy = tokenStrategy('s3cret');

  it('makes an administrator of the project in the URL', async () => {
    assert.deepEqual(await strategy.authenticate({ token: 's3cret', projectId: 'p1' }), {
      userId: 'admin',
      projectId: 'p1',
      isAdmin: true,
      roles: ['admin'],
    });
    assert.equal((await strategy.authenticate({ token: 's3cret', projectId: null }))?.projectId, 'admin');
  });

  it('is the only one', async () => {
    for (const token of ['', 's3cre', 's3cret ', 'S3CRET', 's3crets3cret']) {
      assert.equal(await strategy.authenticate({ token, projectId: 'p1' }), null);
    }
  });
});

describe('noauth', () => {
  const strategy = noauthStrategy();
  const as = async (token: string, projectId: string | null = null) => {
    const identity = await strategy.authenticate({ token, projectId });
    return identity && [identity.userId, identity.projectId];
  };

  it('believes user and project', async () => {
    assert.deepEqual(await as('bob:p1'), ['bob', 'p1']);
    assert.deepEqual(await as('bob'), ['bob', 'bob']);
    assert.deepEqual(await as('bob', 'p2'), ['bob', 'p2']);
    assert.equal(await as(':p1'), null);
  });

  it('is for this machine only', () => {
    assert.equal(strategy.loopbackOnly, true);
    assert.equal(tokenStrategy('x').loopbackOnly, false);
  });
});
