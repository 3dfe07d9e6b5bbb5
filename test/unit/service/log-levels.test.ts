import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createLogger, type RootLogger } from '../../../src/log/create-logger.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { makeObject } from '../../../src/rpcapi/objects/objects.ts';
import { levelFromWire, levelToWire, loggerOf, logLevelMethods } from '../../../src/service/log-levels.ts';
import { describeProcess } from '../../../src/service/report.ts';

let log: RootLogger;
let forget: () => void;
beforeEach(() => {
  log = createLogger({ level: 'info', name: 'test', destination: 'stderr' });
  forget = describeProcess({ version: '1', role: 'test', config: () => [], log });
});
afterEach(() => forget());

const request = (prefix: string | null, level: string | null) => ({
  log_request: makeObject('LogLevel', { prefix, level }, 'all'),
});

test('the four words go there and back, in any case; others are refused', () => {
  for (const word of ['DEBUG', 'INFO', 'WARNING', 'ERROR']) {
    assert.equal(levelToWire(levelFromWire(word.toLowerCase())), word);
  }
  for (const word of ['TRACE', '', null, 3, 'constructor']) {
    assert.throws(
      () => levelFromWire(word),
      (error) => isFailure(error, 'InvalidInput'),
    );
  }
});

test('a prefix means the one logger, under the name that was asked for, or nobody', () => {
  assert.deepEqual([null, '', 'ash', 'ashlar', 'cinder', 'cinder.volume.manager', 'oslo', 'cinderella'].map(loggerOf), [
    ...['ashlar', 'ashlar', 'ashlar', 'ashlar', 'cinder', 'cinder.volume.manager'],
    ...[null, null],
  ]);
});

test('set_log_levels changes the level of this process, get_log_levels answers it in a peer’s form', async () => {
  await logLevelMethods.set_log_levels(request('cinder.volume', 'DEBUG'));
  assert.equal(log.level, 'debug');
  await logLevelMethods.set_log_levels(request('oslo.messaging', 'ERROR'));
  assert.equal(log.level, 'debug');
  await assert.rejects(logLevelMethods.set_log_levels(request('', 'LOUD')), (error) =>
    isFailure(error, 'InvalidInput'),
  );
  assert.deepEqual(await logLevelMethods.get_log_levels(request('cinder.volume.manager', null)), {
    'versioned_object.name': 'LogLevelList',
    'versioned_object.namespace': 'cinder',
    'versioned_object.version': '1.0',
    'versioned_object.data': {
      objects: [
        {
          'versioned_object.name': 'LogLevel',
          'versioned_object.namespace': 'cinder',
          'versioned_object.version': '1.0',
          'versioned_object.data': { prefix: 'cinder.volume.manager', level: 'DEBUG' },
          'versioned_object.changes': ['prefix', 'level'],
        },
      ],
    },
    'versioned_object.changes': ['objects'],
  });
});
