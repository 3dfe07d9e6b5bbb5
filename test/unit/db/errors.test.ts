import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefusal, isRetryable, mapDatabaseError } from '../../../src/db/errors.ts';
import { type ErrorCode, failure } from '../../../src/model/errors.ts';

function serverError(code: string, message = 'said so'): Error {
  return Object.assign(new Error(message), { code, detail: 'Failing row contains (SECRET)', where: 'SECRET' });
}

test('codes of the driver and the server become codes of the catalogue, without the rows they quote', () => {
  const cases: [Error, ErrorCode][] = [
    [serverError('ECONNREFUSED'), 'ConnectionFailed'],
    [serverError('57P01'), 'ConnectionFailed'],
    [serverError('08006'), 'ConnectionFailed'],
    [serverError('53300'), 'ConnectionFailed'],
    [serverError('28P01'), 'ConnectionFailed'],
    [new AggregateError([serverError('ECONNREFUSED', '::1'), serverError('ECONNREFUSED')]), 'ConnectionFailed'],
    [new Error('Connection terminated unexpectedly'), 'ConnectionFailed'],
    [new Error('Knex: Timeout acquiring a connection. The pool is probably full.'), 'ConnectionFailed'],
    [serverError('22001'), 'InvalidInput'],
    [serverError('22021'), 'InvalidInput'],
    [serverError('23505'), 'Internal'],
    [new Error('odd'), 'Internal'],
  ];
  for (const [error, code] of cases) {
    const mapped = mapDatabaseError(error, 'ashlar at db:5432');
    assert.equal(mapped.code, code, error.message);
    assert.ok(mapped.cause instanceof Error);
    assert.ok(!JSON.stringify({ ...mapped, ...mapped.cause }).includes('SECRET'));
    assert.ok(!mapped.message.includes('SECRET'));
  }
});

test('ours pass through; refusals and retryable failures are told apart', () => {
  const ours = failure('VolumeNotFound', { id: 'v' });
  assert.equal(mapDatabaseError(ours, 'd'), ours);
  assert.equal(isRefusal(mapDatabaseError(serverError('28P01'), 'd')), true);
  assert.equal(isRefusal(mapDatabaseError(serverError('57P03'), 'd')), false);
  assert.equal(isRetryable(serverError('40P01')), true);
  assert.equal(isRetryable(serverError('40001')), true);
  assert.equal(isRetryable(serverError('23505')), false);
});
