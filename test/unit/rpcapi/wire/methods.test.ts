import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { argumentsFor, versionFor, type WireMethod } from '../../../../src/rpcapi/wire/method.ts';
import { RPC_VERSIONS, type WireTopic, wireTables } from '../../../../src/rpcapi/wire/receive.ts';
import { readCapturedMessages, readFactTable } from '../../../support/cinder-fixtures.ts';

const sources = { 'cinder-volume': 'rpc_volume_api.csv', 'cinder-scheduler': 'scheduler_rpc_api.csv' } as const;

for (const topic of Object.keys(sources) as WireTopic[]) {
  describe(`the methods of ${topic}`, () => {
    const facts = readFactTable(sources[topic]);
    const table = wireTables[topic];

    it('are those of the release', () => {
      assert.deepEqual(Object.keys(table).toSorted(), facts.map(({ method }) => method).toSorted());
      assert.deepEqual([...new Set(facts.map((row) => row.rpc_api_version))], [RPC_VERSIONS[topic]]);
    });

    for (const row of facts) {
      it(`${row.method} has its kind, versions and arguments`, () => {
        const method = table[row.method!]!;
        if (row.sent_by_rpcapi === 'no') {
          assert.deepEqual([method.kind, method.serve.as], ['none', 'refused']);
          return;
        }
        assert.equal(method.kind, row.fanout === 'fanout' ? 'fanout' : row.call_or_cast);
        assert.deepEqual(method.versions.toSorted(), row.versions_used!.split(' ').toSorted());
        assert.equal(method.asserted ?? '', row.min_version_asserted);
        assert.equal(signature(method), row.args);
        assert.equal(method.variadic === true, row.var_kw !== '');
      });
    }

    it('say why where they are refused', () => {
      for (const { serve } of Object.values(table)) if (serve.as === 'refused') assert.match(serve.reason, /\.$/);
    });
  });
}

describe('the version of a message', () => {
  const messages = readCapturedMessages().filter(
    ({ topic, method }) => topic in wireTables && method !== 'no_such_method',
  );

  for (const { file, topic, method, version, args, isCall, isFanout } of messages) {
    it(`is the captured one for the newest peer: ${file}`, () => {
      const entry = wireTables[topic as WireTopic][method]!;
      assert.equal(versionFor(entry, RPC_VERSIONS[topic as WireTopic]), version);
      assert.ok(entry.kind.includes(isFanout ? 'fanout' : isCall ? 'call' : 'cast'));
      const taken = argumentsFor(entry, args, RPC_VERSIONS[topic as WireTopic]);
      assert.deepEqual(taken, args);
    });
  }

  it('is an older one for an older peer, with the arguments that it takes', () => {
    const entry = wireTables['cinder-volume'].attach_volume!;
    const args = { volume_id: 'v', instance_uuid: null, host_name: 'h', mountpoint: '/m', mode: 'rw', volume: {} };
    const { volume: _, ...older } = args;
    assert.deepEqual([versionFor(entry, '3.2'), argumentsFor(entry, args, '3.2')], ['3.0', older]);
    assert.deepEqual([versionFor(entry, '3.3'), argumentsFor(entry, args, '3.3')], ['3.3', args]);
  });

  it('is none where the peer has no such method', () => {
    assert.equal(versionFor(wireTables['cinder-volume'].attachment_update!, '3.8'), null);
    assert.equal(versionFor(wireTables['cinder-scheduler'].create_snapshot!, '3.8'), null);
    assert.equal(versionFor(wireTables['cinder-scheduler'].create_snapshot!, '3.9'), '3.0');
    assert.equal(versionFor(wireTables['cinder-volume'].init_host!, '3.18'), null);
  });
});

/** `volume new_size reservations=None`, as the facts are written. */
function signature({ args }: WireMethod): string {
  const words = new Map<unknown, string>([
    [null, 'None'],
    [true, 'True'],
    [false, 'False'],
  ]);
  return Object.entries(args)
    .map(([name, spec]) => {
      if (typeof spec !== 'object' || !('default' in spec)) return name;
      return `${name}=${words.get(spec.default) ?? `'${spec.default}'`}`;
    })
    .join(' ');
}
