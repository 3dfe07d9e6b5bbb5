import type { Logger } from '../../src/log/logger.ts';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A Logger that keeps what it is told, for tests. */
export function createRecorder(): { readonly log: Logger; readonly entries: readonly LogEntry[] } {
  const entries: LogEntry[] = [];
  const make = (bindings: object): Logger => {
    const at = (level: LogEntry['level']) => (fields: object, message: string) => {
      entries.push({ level, fields: { ...bindings, ...fields }, message });
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (more) => make({ ...bindings, ...more }),
    };
  };
  return { log: make({}), entries };
}
