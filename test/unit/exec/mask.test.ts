import assert from 'node:assert/strict';
import test from 'node:test';
import { maskArguments, maskText } from '../../../src/exec/mask.ts';

test('a value after a password flag is hidden, other arguments stay', () => {
  assert.deepEqual(maskArguments(['tgtadm', '--user', 'joe', '--password', 'hunter2', '--op', 'new']), [
    'tgtadm',
    '--user',
    'joe',
    '--password',
    '***',
    '--op',
    'new',
  ]);
});

test('password=… and passwords in URLs are hidden', () => {
  assert.deepEqual(
    maskArguments(['x', '--password=abc', 'iscsi://joe%secret1@127.0.0.1/iqn/1', 'pg://joe:secret2@db/x']),
    ['x', '--password=***', 'iscsi://joe%***@127.0.0.1/iqn/1', 'pg://joe:***@db/x'],
  );
  assert.equal(maskText('login failed (password: abc) for joe'), 'login failed (password: *** for joe');
});

test('what is no secret is left as it is', () => {
  const argv = ['lvcreate', '--name', 'volume-1', '--size', '1g', 'vg', 'iqn.2010-10.org.example:volume-1', 'a@b'];
  assert.deepEqual(maskArguments(argv), argv);
});
