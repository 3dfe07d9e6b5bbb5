import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { wordsOf } from '../../../drivers/target/tgt/by-helper.ts';
import { encodeRequest } from '../../../drivers/target/tgt/control-socket.ts';
import type { TgtRequest } from '../../../drivers/target/tgt/request.ts';
import { fileVerbs } from '../../../rootwrap/files.ts';
import { encodeTgtRequest } from '../../../rootwrap/tgt.ts';
import { whyUntrusted } from '../../../rootwrap/trust.ts';

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'ashlar-verbs-'));
});
after(() => rmSync(root, { recursive: true }));
const at = (...names: string[]) => join(root, ...names);
const verb = (name: string, paths: readonly string[], input = '') =>
  fileVerbs[name]!(paths, Buffer.from(input)).toString();

describe('file verbs', () => {
  it('do their work, and again', () => {
    for (const _ of [1, 2]) {
      verb('@mkdir', [at('a')]);
      verb('@write', [at('a/value')], 'one');
      verb('@link', [at('a/value'), at('a/link')]);
    }
    assert.equal(verb('@read', [at('a/value')]), 'one');
    verb('@write', [at('a/value'), 'given as a word'], 'not this');
    assert.equal(verb('@read', [at('a/value')]), 'given as a word');
    verb('@write', [at('a/value')], 'z');
    assert.equal(readFileSync(at('a/value'), 'utf8'), 'z');
    assert.equal(statSync(at('a/value')).mode & 0o777, 0o600);
    assert.equal(readlinkSync(at('a/link')), at('a/value'));
    for (const _ of [1, 2]) for (const name of ['link', 'value']) verb('@remove', [at('a', name)]);
    for (const _ of [1, 2]) verb('@remove', [at('a')]);
    assert.ok(!existsSync(at('a')));
  });

  it('know a link that says where it leads from where it is, as in configfs', () => {
    mkdirSync(at('deep/er'), { recursive: true });
    symlinkSync('../elsewhere', at('deep/link'));
    verb('@link', [at('elsewhere'), at('deep/link')]);
    assert.throws(() => verb('@link', [at('deep/elsewhere'), at('deep/link')]), /something else/);
    rmSync(at('deep'), { recursive: true });
  });

  it('follow no symlink, neither on the way nor at the end', () => {
    mkdirSync(at('inside'));
    mkdirSync(at('outside'));
    writeFileSync(at('outside/secret'), 'secret');
    symlinkSync(at('outside'), at('inside/way'));
    symlinkSync(at('outside/secret'), at('inside/end'));
    for (const path of [at('inside/way/secret'), at('inside/end')]) {
      assert.throws(() => verb('@read', [path]), /ELOOP|ENOTDIR/);
      assert.throws(() => verb('@write', [path], 'x'), /ELOOP|ENOTDIR/);
    }
    assert.throws(() => verb('@mkdir', [at('inside/way/new')]), /ELOOP|ENOTDIR/);
    assert.throws(() => verb('@remove', [at('inside/way/secret')]), /ELOOP|ENOTDIR/);
    assert.throws(() => verb('@link', [at('x'), at('inside/way/new')]), /ELOOP|ENOTDIR/);
    verb('@remove', [at('inside/end')]);
    assert.equal(readFileSync(at('outside/secret'), 'utf8'), 'secret');
  });

  it('take no second name of a file, no fifo, no device, no directory', () => {
    writeFileSync(at('target'), 'kept');
    linkSync(at('target'), at('hard'));
    execFileSync('mkfifo', [at('fifo')]);
    for (const path of [at('hard'), at('fifo'), '/dev/null', at('inside')]) {
      assert.throws(() => verb('@write', [path], 'x'), /plain file|ENXIO|EISDIR/, path);
      assert.throws(() => verb('@read', [path]), /plain file|EISDIR/, path);
    }
    assert.equal(readFileSync(at('target'), 'utf8'), 'kept');
  });

  it('take no path that is not plain, and no value of two lines', () => {
    for (const path of ['', '/', 'a', `${root}/../x`, `${root}//x`, `${root}/./x`, `${root}/x/`, `${root}/a\nb`]) {
      assert.throws(() => verb('@write', [path], 'x'), /plain absolute path/, JSON.stringify(path));
    }
    for (const value of ['a\nb', 'a\n', '\0', '\x1b[0m', 'x'.repeat(5_000)]) {
      assert.throws(() => verb('@write', [at('v')], value), /a value is one line/);
    }
    assert.ok(!existsSync(at('v')));
  });
});

describe('trust', { skip: process.getuid?.() === 0 ? false : 'changing owners takes root' }, () => {
  it('is refused where another could change the path: directory, file, symlink, owner', () => {
    mkdirSync(at('t/d'), { recursive: true });
    writeFileSync(at('t/d/f'), '');
    const why = () => whyUntrusted(at('t/d/f'), null);
    assert.equal(why(), null);
    for (const path of ['t', 't/d', 't/d/f']) {
      chmodSync(at(path), 0o775);
      assert.match(why()!, /can be changed/, `${path} is the group’s`);
      chmodSync(at(path), 0o755);
      chownSync(at(path), 12_345, 0);
      assert.match(why()!, /can be changed/, `${path} is another’s`);
      assert.equal(whyUntrusted(at('t/d/f'), 12_345), null, 'who was told of is trusted');
      chownSync(at(path), 0, 0);
    }
    chmodSync(at('t'), 0o1777);
    assert.equal(why(), null, 'a sticky directory keeps others from what is root’s');
    symlinkSync(at('t/d'), at('t/l'));
    assert.equal(whyUntrusted(at('t/l/f'), null), null);
    execFileSync('chown', ['-h', '12345', at('t/l')]);
    assert.match(whyUntrusted(at('t/l/f'), null)!, /somebody else's symlink/);
    assert.match(whyUntrusted(at('t/none'), null)!, /ENOENT/);
    symlinkSync(at('loop'), at('loop'));
    assert.match(whyUntrusted(at('loop'), null)!, /symlink/);
  });
});

describe('requests to tgtd', () => {
  it('have the bytes that the target itself would send', () => {
    const requests: TgtRequest[] = [
      { mode: 'target', op: 'show' },
      { mode: 'target', op: 'delete', tid: 3, force: true },
      { mode: 'logicalunit', op: 'new', tid: 3, lun: 1, parameters: { path: '/dev/x', bstype: 'rdwr' } },
      { mode: 'logicalunit', op: 'update', tid: 3, lun: 1, parameters: { scsi_sn: '1', scsi_id: '2' } },
      { mode: 'account', op: 'new', parameters: { user: 'u', password: 'p=ä' } },
    ];
    for (const request of requests.slice(0, 4)) {
      const { words, password } = wordsOf(request);
      assert.deepEqual(encodeTgtRequest(['iscsi', ...words], password), encodeRequest(request, 'iscsi'));
    }
    assert.throws(() => encodeTgtRequest(['iscsi', 'account', 'new', 'user=u'], 'p=ä'), /blank or a comma|printable/);
    const plain = { ...requests[4]!, parameters: { user: 'u', password: 'p=w' } };
    assert.deepEqual(encodeTgtRequest(['iscsi', 'account', 'new', 'user=u'], 'p=w'), encodeRequest(plain, 'iscsi'));
  });

  it('hide nothing in a password', () => {
    assert.throws(() => encodeTgtRequest(['iscsi', 'account', 'new', 'user=u'], 'a,user=root'), /comma/);
    assert.throws(() => encodeTgtRequest(['iscsi', 'target', 'show'], 'x'), /only a new account/);
    assert.throws(() => encodeTgtRequest(['iscsi', 'system', 'delete'], ''), /no such request/);
  });
});
