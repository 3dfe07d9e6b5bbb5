import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AshlarError, errorCatalogue, failure, isFailure, messageOf } from '../../../src/model/errors.ts';

describe('failures', () => {
  it('have the code, the status and the sentence of the catalogue, and keep their cause', () => {
    const cause = new Error('why');
    const error = failure('VolumeNotFound', { id: 'v1' }, cause);
    assert.ok(error instanceof AshlarError);
    assert.deepEqual(
      [error.code, error.status, error.message],
      ['VolumeNotFound', 404, 'Volume v1 could not be found.'],
    );
    assert.equal(error.cause, cause);
    assert.ok(!('cause' in failure('VolumeNotFound', { id: 'v1' })));
  });

  it('take a parameter as it is, even one that looks like a placeholder', () => {
    assert.equal(failure('NotFound', { reason: '{id} $& $1' }).message, '{id} $& $1');
  });

  it('are told from other errors, and from each other by code', () => {
    const error = failure('VolumeIsBusy', { id: 'v1', reason: 'x' });
    assert.ok(isFailure(error) && isFailure(error, 'NotFound', 'VolumeIsBusy'));
    assert.ok(!isFailure(error, 'NotFound') && !isFailure(new Error('x')) && !isFailure('VolumeIsBusy'));
    assert.deepEqual([messageOf(new Error('m')), messageOf('text'), messageOf(undefined)], ['m', 'text', 'undefined']);
  });

  it('all have an HTTP status of an error and a sentence', () => {
    for (const [code, { status, template }] of Object.entries(errorCatalogue)) {
      assert.ok(status >= 400 && status < 600, code);
      assert.match(template, /^[A-Z{]/, code);
    }
  });
});
