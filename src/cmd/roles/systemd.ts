/** Tells systemd how a service is, where it asked for that (Type=notify). */
import { execFile } from 'node:child_process';
import type { Logger } from '../../log/logger.ts';

export interface Notifier {
  ready(status: string): Promise<void>;
  status(text: string): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
  /** The watchdog is no longer fed. */
  close(): void;
}

const LIMIT_MS = 5000;

/**
 * Node has no datagram sockets of the unix kind, so each word is one run of systemd's own `systemd-notify`; units have
 * NotifyAccess=all for that. Does nothing where NOTIFY_SOCKET is not set.
 */
export function openNotifier(env: Readonly<Record<string, string | undefined>>, log: Pick<Logger, 'warn'>): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = env;
  if (socket === undefined || socket === '') {
    const nothing = async () => {};
    return { ready: nothing, status: nothing, reloading: nothing, stopping: nothing, close: () => {} };
  }
  let isMissed = false;
  const say = (...words: string[]) =>
    new Promise<void>((resolve) => {
      const options = { timeout: LIMIT_MS, env: { NOTIFY_SOCKET: socket, PATH: '/usr/local/bin:/usr/bin:/bin' } };
      execFile('systemd-notify', words, options, (error) => {
        if (error !== null && !isMissed) log.warn({ reason: error.message }, 'systemd could not be told how we are');
        isMissed = error !== null;
        resolve();
      });
    });
  const usec = Number(watchdog);
  // Half of what it waits for, as sd_watchdog_enabled(3) advises. A stalled event loop feeds nobody.
  const feeding = usec > 0 ? setInterval(() => void say('WATCHDOG=1'), usec / 2000) : null;
  feeding?.unref();
  return {
    ready: (status) => say('READY=1', `STATUS=${status}`, `MAINPID=${process.pid}`),
    status: (text) => say(`STATUS=${text}`),
    reloading: () => say('RELOADING=1'),
    stopping: () => say('STOPPING=1'),
    close: () => {
      if (feeding !== null) clearInterval(feeding);
    },
  };
}
