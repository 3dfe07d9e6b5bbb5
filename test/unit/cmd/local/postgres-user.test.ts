import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userForPostgres } from '../../../../src/cmd/local/postgres-user.ts';

const debian =
  'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nme:x:1000:1000::/home/me:/bin/sh\n';

test('an ordinary user with an entry runs it as it is', () => {
  assert.equal(userForPostgres(debian, 1000), null);
});

test('root, and a user without an entry, take the first other account: a fresh machine has no user 1000', () => {
  assert.deepEqual(userForPostgres(debian, 0), { uid: 1, gid: 1 });
  assert.deepEqual(userForPostgres(debian, 4321), { uid: 1, gid: 1 });
});

test('nobody is the last resort, also where the file says nothing', () => {
  const nobody = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nbroken line\n:::\n';
  assert.deepEqual(userForPostgres(nobody, 0), { uid: 65534, gid: 65534 });
  assert.deepEqual(userForPostgres('', 0), { uid: 65534, gid: 65534 });
});
