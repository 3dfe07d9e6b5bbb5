import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigError, parseFilters, parseSettings } from '../../../rootwrap/filters.ts';
import { createFrameReader, encodeFrame, type Frame } from '../../../rootwrap/frames.ts';
import { decide } from '../../../rootwrap/match.ts';
import { plainLook, realFilterFiles, realFilters } from '../../support/real-filters.ts';

const SEED = 5;
const RUNS = 3_000;
const filters = realFilters();
const real = [...realFilterFiles().values()];

describe('fuzzed, frames', () => {
  it('come out whole whatever the pieces, and a bad one costs only itself', () => {
    const frame = fc.record({ id: fc.nat(0xffff_ffff), body: fc.uint8Array({ maxLength: 300 }), kind: fc.nat(3) });
    const property = fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 20 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(
          frames.map(({ id, body, kind }) => {
            const good = encodeFrame(id, { id }, Buffer.from(body));
            if (kind === 1) good.writeUInt32BE(0xffff_0000, 8);
            if (kind === 2) good.write('}', 12);
            return kind === 3 ? encodeFrame(id, {}, Buffer.alloc(2_000)) : good;
          }),
        );
        const seen: Frame[] = [];
        const read = createFrameReader(1_000, (each) => seen.push(each));
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const end = at + cuts[cut % cuts.length]!;
          read(bytes.subarray(at, end));
          at = end;
        }
        assert.deepEqual(
          seen.map(({ id }) => id),
          frames.map(({ id }) => id),
        );
        for (const [index, { kind, id, body }] of frames.entries()) {
          assert.deepEqual(seen[index]!.header, kind === 0 ? { id } : undefined);
          if (kind === 0) assert.deepEqual([...seen[index]!.body], [...body]);
        }
      },
    );
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });

  it('of any bytes do not hurt the reader', () => {
    const property = fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (chunks) => {
      const read = createFrameReader(1_000, () => {});
      for (const chunk of chunks) read(Buffer.from(chunk));
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });
});

describe('fuzzed, argv', () => {
  const words = real.flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== '');
  const word = fc.oneof(
    fc.constantFrom(...words, 'cinder-volumes', '--config', '@x', ';', '\n', '../..', 'env', '-o'),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );

  it('no argv of random words is allowed but in the strict shapes', () => {
    const safe = /^[A-Za-z0-9_@+./:=,%{} -]*$/;
    const property = fc.property(fc.array(word, { maxLength: 14 }), (argv) => {
      const decision = decide(filters, argv, plainLook);
      if (decision.kind === 'refused' || decision.kind === 'not found') return;
      assert.ok(
        argv.every((each) => safe.test(each) && !each.includes('..')),
        JSON.stringify(argv),
      );
      if (decision.kind === 'run') assert.match(decision.argv[0], /^\/usr\/sbin\/[a-z-]+$/);
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS * 3 });
  });
});

describe('fuzzed, configuration', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '[Filters]',
      '[Shapes]',
      '[DEFAULT]',
      'a: b',
      ' more',
      '# no',
      'x: ArgvFilter, a, root, ( b )* (',
      "y: ArgvFilter, a, root, 'b",
      'z: {a}',
      'z: ((',
    ),
    fc.constantFrom(...real.flatMap((text) => text.split('\n'))),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );

  it('is filters, or a ConfigError', () => {
    const property = fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      for (const parse of [parseFilters, parseSettings]) {
        try {
          parse(lines.join('\n'));
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
        }
      }
    });
    fc.assert(property, { seed: SEED, numRuns: RUNS });
  });
});
