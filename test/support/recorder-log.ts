import type { Logger } from '../../src/log/logger.ts';

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** With the bindings of the child loggers above. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface RecorderLog extends Logger {
  /** Every line so far, of this logger and of its children, in order. */
  readonly records: readonly LogRecord[];
  /** All of it as text, to look for what must not be there. */
  text(): string;
}

/** A logger that keeps its lines, as they were given: nothing is redacted, so that a test sees what the code logs. */
export function recorderLog(): RecorderLog {
  const records: LogRecord[] = [];
  return { ...recorder({}, records), records, text: () => JSON.stringify(records) };
}

function recorder(bindings: object, records: LogRecord[]): Logger {
  const write = (level: LogRecord['level']) => (fields: object, message: string) => {
    records.push({ level, fields: { ...bindings, ...fields }, message });
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (more) => recorder({ ...bindings, ...more }, records),
  };
}
