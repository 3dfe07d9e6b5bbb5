import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../../src/model/errors.ts';
import { heartbeatSeconds, unknownInQuery, withQuery } from '../../../../src/rpc/amqp/settings.ts';
import { type RabbitOptions, rabbitOptions } from '../../../../src/rpc/options.ts';

const defaults = Object.fromEntries(
  Object.entries(rabbitOptions).map(([name, option]) => [name, option.default]),
) as RabbitOptions;

test("the URL's query wins over the options, in their types", () => {
  const options = withQuery(defaults, { ssl: '1', heartbeat_timeout_threshold: '9' });
  assert.deepEqual([options.ssl, options.heartbeat_timeout_threshold, options.amqp_durable_queues], [true, 9, false]);
});

test("an option that is not known is a peer's own", () => {
  assert.deepEqual(unknownInQuery({ ssl: '1', ssl_version: 'x' }), ['ssl_version']);
  assert.deepEqual(withQuery(defaults, { ssl_version: 'x' }), defaults);
});

test('what is no value of an option is refused', () => {
  for (const query of [{ ssl: 'perhaps' }, { heartbeat_timeout_threshold: '-1' }]) {
    assert.throws(
      () => withQuery(defaults, query as Record<string, string>),
      (error) => isFailure(error, 'InvalidConfigurationValue'),
    );
  }
});

test('three heartbeats fit into the threshold', () => {
  assert.deepEqual([0, 1, 3, 60, 61].map(heartbeatSeconds), [0, 1, 1, 20, 20]);
});
