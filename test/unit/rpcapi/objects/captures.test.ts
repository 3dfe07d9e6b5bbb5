import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeValue } from '../../../../src/rpcapi/objects/decode.ts';
import { encodeValue } from '../../../../src/rpcapi/objects/encode.ts';
import { VersionedObject } from '../../../../src/rpcapi/objects/objects.ts';
import { plainCopy } from '../../../../src/rpcapi/objects/plain-copy.ts';
import { readCapturedMessages } from '../../../support/cinder-fixtures.ts';

const messages = readCapturedMessages();

describe('captured messages', () => {
  it('are there', () => assert.ok(messages.length > 45));

  for (const { file, args, results } of messages) {
    it(`${file} decodes without faults, and encodes to the same`, () => {
      for (const value of [args, ...results]) {
        const decoded = decodeValue(value);
        assert.ok(decoded.ok, JSON.stringify(decoded));
        assert.deepEqual(decoded.ignored, []);
        // Through text, as on the wire: what is left undefined would be gone there.
        assert.deepEqual(JSON.parse(JSON.stringify(encodeValue(decoded.value) ?? null)), value);
      }
    });
  }

  it('decode to objects: none is left as it stood on the wire', () => {
    const decoded = decodeValue(messages.map(({ args }) => args));
    assert.ok(decoded.ok);
    assert.ok(count(decoded.value) > 80);
    assert.doesNotMatch(JSON.stringify(decoded.value), /versioned_object/);
  });

  it('have plain copies of request specs as plainCopy makes them', () => {
    const message = messages.find(({ file }) => file === 'rpc.cinder-volume.create_volume.json')!;
    const decoded = decodeValue(message.args);
    assert.ok(decoded.ok);
    const { request_spec: spec, filter_properties: properties } = decoded.value as {
      request_spec: VersionedObject<'RequestSpec'>;
      filter_properties: { request_spec: { volume: object } };
    };
    // The object was sent later than the copy was made: by then the scheduler had loaded and set these.
    const copy = plainCopy(spec) as { volume: Record<string, unknown> };
    const { glance_metadata: loaded, ...volume } = copy.volume;
    assert.deepEqual(loaded, {});
    const differing = Object.keys(volume).filter(
      (key) => JSON.stringify(volume[key]) !== JSON.stringify((properties.request_spec.volume as never)[key]),
    );
    assert.deepEqual({ ...copy, volume }, properties.request_spec, `differs in ${differing}`);
  });

  it('have plain copies of volumes and attachments as plainCopy makes them, but for the fraction of a second', () => {
    const { args } = messages.find(({ file }) => file === 'rpc.cinder-scheduler.extend_volume.json')!;
    const decoded = decodeValue(args.volume);
    assert.ok(decoded.ok && decoded.value instanceof VersionedObject);
    const copy = plainCopy(decoded.value);
    const spec = args.request_spec as { volume_properties: object };
    const [attachment] = copy.volume_attachment as Record<string, unknown>[];
    const { volume: _, ...bare } = attachment!;
    const { glance_metadata: __, ...rest } = copy;
    const expected = JSON.parse(
      JSON.stringify(spec.volume_properties).replace(/(T\d\d:\d\d:\d\d)\.\d{6}/g, '$1.000000'),
    );
    assert.deepEqual({ ...rest, volume_attachment: [bare] }, expected);
  });
});

function count(value: unknown): number {
  if (value instanceof VersionedObject) return 1 + count(value.fields);
  if (value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce((sum: number, item) => sum + count(item), 0);
}
