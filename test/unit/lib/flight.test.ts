import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atStep, currentFlight, describeFlight, duringStep, flights, fly, withSteps } from '../../../src/lib/flight.ts';

const of = (id: string) => ({ id, service: 'node@fake' });

test('each flight sees its own steps, side by side, and none is left', async () => {
  const seen: string[] = [];
  const one = (id: string) =>
    fly(of(id), async () => {
      describeFlight({ method: 'create_volume', resourceId: id, requestId: `req-${id}` });
      atStep(`step of ${id}`);
      await new Promise((resolve) => setImmediate(resolve));
      const { requestId, step } = currentFlight()!;
      seen.push(`${requestId} ${step}`);
    });
  const both = Promise.all([one('a'), one('b')]);
  assert.deepEqual(
    flights().map(({ id }) => id),
    ['a', 'b'],
  );
  await both;
  assert.deepEqual(seen.sort(), ['req-a step of a', 'req-b step of b']);
  assert.deepEqual(flights(), []);
  assert.equal(currentFlight(), undefined);
});

test('a flight that fails ends too', async () => {
  await assert.rejects(
    fly(of('x'), async () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  assert.deepEqual(flights(), []);
});

test('a step within a step gives way to the one before, well or not', async () => {
  await fly(of('x'), async () => {
    atStep('outer');
    const since = currentFlight()!.stepSinceMs;
    await duringStep('inner', async () => assert.equal(currentFlight()!.step, 'inner'));
    await duringStep('inner', async () => Promise.reject(new Error('broken'))).catch(() => {});
    assert.deepEqual([currentFlight()!.step, currentFlight()!.stepSinceMs], ['outer', since]);
  });
});

test('methods of a wrapped object are steps, whatever they do; what is no method stays as it is', async () => {
  const object = withSteps('driver', {
    kind: 'fake',
    async slow() {
      return currentFlight()?.step;
    },
    now: () => currentFlight()?.step,
    async fails() {
      throw new Error('broken');
    },
    breaks(): void {
      throw new Error('at once');
    },
  });
  assert.equal(object.kind, 'fake');
  assert.equal(await object.slow(), undefined, 'without a flight it is what it was');
  await fly(of('x'), async () => {
    atStep('running');
    assert.equal(await object.slow(), 'driver.slow');
    assert.equal(object.now(), 'driver.now');
    await assert.rejects(object.fails(), /broken/);
    assert.throws(() => object.breaks(), /at once/);
    assert.equal(currentFlight()!.step, 'running');
  });
});
