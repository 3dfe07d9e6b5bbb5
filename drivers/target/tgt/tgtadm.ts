/** The way to tgtd by its own tool, tgtadm: slower, and without a way to hand over a password. */
import { CommandError, type Executor, failure, messageOf } from '#driver';
import type { TgtRequest, Transport } from './request.ts';

const TIMEOUT_MS = 30_000;

export function createTgtadmTransport(
  executor: Executor,
  daemon: { readonly lld: string; readonly controlPort: number; readonly socket: string | null; readonly path: string },
): Transport {
  return async (request) => {
    try {
      const { stdout } = await executor.run({
        argv: ['tgtadm', '--control-port', String(daemon.controlPort), '--lld', daemon.lld, ...argumentsOf(request)],
        privileged: true,
        env: daemon.socket === null ? {} : { TGT_IPC_SOCKET: daemon.socket },
        timeoutMs: TIMEOUT_MS,
      });
      return { problem: null, text: stdout };
    } catch (error) {
      const reason = whyUnreachable(error);
      if (reason !== null) throw failure('ConnectionFailed', { what: `tgtd at ${daemon.path}`, reason }, error);
      const stderr = error instanceof CommandError && error.outcome === 'exit' ? (error.result?.stderr ?? '') : '';
      const said = /^tgtadm: (.*)$/m.exec(stderr);
      if (said === null) throw error;
      return { problem: said[1]!, text: '' };
    }
  };
}

const OPTION_NAMES: Readonly<Record<string, string>> = { path: 'backing-store' };

/** tgtadm's options for a request. A password is refused: argv is public. */
export function argumentsOf({ mode, op, tid, lun, force, parameters = {} }: TgtRequest): string[] {
  if ('password' in parameters) {
    const reason = 'tgtadm takes a password only in its argv. Set tgt_control = socket, or use no CHAP.';
    throw failure('VolumeBackendAPIException', { reason });
  }
  const named =
    op === 'update'
      ? [
          '--params',
          Object.entries(parameters)
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
        ]
      : Object.entries(parameters).flatMap(([key, value]) => [`--${OPTION_NAMES[key] ?? key}`, value]);
  return [
    ...['--mode', mode, '--op', op],
    ...(tid === undefined ? [] : ['--tid', String(tid)]),
    ...(lun === undefined ? [] : ['--lun', String(lun)]),
    ...(force === true ? ['--force'] : []),
    ...named,
  ];
}

function whyUnreachable(error: unknown): string | null {
  if (!(error instanceof CommandError)) return null;
  if (error.outcome === 'missing') return 'there is no tgtadm. Install the package tgt.';
  if (error.outcome === 'timeout')
    return `${messageOf(error)} See what tgtd does (a device that hangs?), then try again.`;
  if (/failed to send request|can't connect|can't get the/.test(error.result?.stderr ?? '')) {
    return 'no daemon answers there. Start tgtd (systemctl start tgt), or set tgt_control_port and tgt_socket to where it listens.';
  }
  return null;
}
