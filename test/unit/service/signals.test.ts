import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { handleSignals } from '../../../src/service/signals.ts';

function listen() {
  const calls: string[] = [];
  const source = new EventEmitter();
  const stop = handleSignals(
    {
      onStop: () => calls.push('stop'),
      onHalt: (code) => calls.push(`halt ${code}`),
      onReload: () => calls.push('reload'),
      onReport: () => calls.push('report'),
    },
    source as never,
  );
  return { calls, send: (...signals: string[]) => signals.map((signal) => source.emit(signal)), source, stop };
}

describe('signals', () => {
  it('drain at the first TERM, end at once at the second', () => {
    const { calls, send } = listen();
    send('SIGTERM', 'SIGTERM');
    assert.deepEqual(calls, ['stop', 'halt 143']);
  });

  it('end at once at INT and ALRM', () => {
    const { calls, send } = listen();
    send('SIGINT', 'SIGALRM');
    assert.deepEqual(calls, ['halt 130', 'halt 1']);
  });

  it('reload at HUP, but not while draining; report at USR2 always', () => {
    const { calls, send } = listen();
    send('SIGHUP', 'SIGTERM', 'SIGHUP', 'SIGUSR2');
    assert.deepEqual(calls, ['reload', 'stop', 'report']);
  });

  it('mean nothing any more after the end', () => {
    const { source, stop } = listen();
    stop();
    assert.deepEqual(source.eventNames(), []);
  });
});
