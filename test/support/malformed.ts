/** Messages that are none, in every way that one can be spoiled; the same for the same seed. */
import fc from 'fast-check';

const VERSION = 'oslo.version';
const MESSAGE = 'oslo.message';

/** Bytes that no service can make anything of, from one good message's arguments. */
export function malformedMessages(args: Readonly<Record<string, unknown>>, count: number, seed: number): Buffer[] {
  const good = { method: 'create_volume', version: '3.0', args, _unique_id: 'u' };
  return fc.sample(malformed(good), { numRuns: count, seed });
}

type Message = Readonly<Record<string, unknown>>;

function malformed(good: Message): fc.Arbitrary<Buffer> {
  const whole = wrap(good);
  // Each its own message: copies of one id would only be acknowledged.
  const fresh = fc.uuid().map((id) => ({ ...good, _unique_id: id }));
  const spoiled = (spoil: (message: Message, junk: unknown) => unknown) =>
    fc.tuple(fresh, fc.jsonValue({ maxDepth: 2 })).map(([message, junk]) => wrap(spoil(message, junk)));
  const anyText = fc.string({ minLength: 1, maxLength: 20 });
  return fc.oneof(
    { weight: 8, arbitrary: fc.nat(whole.length - 1).map((end) => whole.subarray(0, end)) },
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 8, arbitrary: wrongEncoding(whole) },
    { weight: 4, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    {
      weight: 4,
      arbitrary: fc.string().map((text) => Buffer.from(JSON.stringify({ [VERSION]: text, [MESSAGE]: '{}' }))),
    },
    { weight: 8, arbitrary: spoiled((message, junk) => ({ ...message, args: { volume: junk } })) },
    { weight: 8, arbitrary: spoiled((message, junk) => ({ ...message, args: { ...args(message), volume: junk } })) },
    { weight: 8, arbitrary: spoiled((message, junk) => ({ ...message, args: { ...args(message), bogus: junk } })) },
    { weight: 8, arbitrary: fresh.map((message) => wrap({ ...message, args: without(args(message), 'volume') })) },
    { weight: 4, arbitrary: fc.constantFrom('method', 'args').chain((key) => fresh.map((m) => wrap(without(m, key)))) },
    { weight: 4, arbitrary: fc.tuple(fresh, anyText).map(([m, name]) => wrap({ ...m, method: `no_${name}` })) },
    { weight: 4, arbitrary: fc.tuple(fresh, anyText).map(([m, name]) => wrap({ ...m, namespace: name })) },
    {
      weight: 4,
      arbitrary: fc.tuple(fresh, versions).map(([message, version]) => wrap({ ...message, version })),
    },
    { weight: 4, arbitrary: fc.tuple(fresh, fc.integer({ min: 90, max: 5000 })).map(([m, levels]) => deep(m, levels)) },
    // An object of a version that nobody has heard of.
    { weight: 4, arbitrary: fresh.map((m) => Buffer.from(wrap(m).toString().replaceAll('\\"1.9\\"', '\\"9.9\\"'))) },
  );
}

const versions = fc.oneof(
  fc.constantFrom('4.0', '2.99', '3.999', '3', '', 'three', '3.0.0', '-1.0', '1e3'),
  fc.jsonValue({ maxDepth: 1 }).filter((value) => value !== '3.0'),
);

function wrongEncoding(whole: Buffer): fc.Arbitrary<Buffer> {
  return fc.oneof(
    fc.constant(Buffer.from(whole.toString(), 'utf16le')),
    fc.constant(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), whole, Buffer.from([0xff])])),
    fc.nat(whole.length - 1).map((at) => {
      const bytes = Buffer.from(whole);
      bytes[at] = 0xff;
      return bytes;
    }),
  );
}

function args(message: Message): Message {
  return message.args as Message;
}

function without(object: Message, key: string): Message {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

function deep(message: Message, levels: number): Buffer {
  const nested = `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const text = JSON.stringify({ ...message, args: { volume: 0 } }).replace('"volume":0', `"volume":${nested}`);
  return Buffer.from(JSON.stringify({ [VERSION]: '2.0', [MESSAGE]: text }));
}

function wrap(message: unknown): Buffer {
  return Buffer.from(JSON.stringify({ [VERSION]: '2.0', [MESSAGE]: JSON.stringify(message) }));
}

/** Larger than what is read at all, or read and then refused. */
export function hugeMessage(megabytes: number): Buffer {
  const message = { method: 'get_capabilities', version: '3.0', args: { discover: 'x'.repeat(megabytes << 20) } };
  return wrap(message);
}
