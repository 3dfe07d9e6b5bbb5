import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { isFailure } from '../../../src/model/errors.ts';
import { createDispatcher, defineMethod } from '../../../src/rpc/dispatcher.ts';

const context = { requestId: 'req-1', userId: null, projectId: null, isAdmin: true, roles: [] };
const dispatch = createDispatcher({
  double: defineMethod({ args: z.object({ n: z.number() }), handle: async ({ n }) => n * 2 }),
});

test('arguments are checked before the handler sees them', async () => {
  assert.equal(await dispatch({ method: 'double', version: '3.0', args: { n: 2 }, context }), 4);
  await assert.rejects(
    dispatch({ method: 'double', version: '3.0', args: { n: 'two' }, context }),
    (error) => isFailure(error, 'InvalidInput') && error.message.includes('double'),
  );
});

test('unknown methods are refused, those of Object among them', async () => {
  for (const method of ['triple', 'constructor', '__proto__']) {
    await assert.rejects(dispatch({ method, version: '3.0', args: {}, context }), (error) =>
      isFailure(error, 'InvalidInput'),
    );
  }
});
