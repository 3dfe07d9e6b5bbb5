import { readFile } from 'node:fs/promises';
import {
  AshlarError,
  checkedName,
  connectionInfo,
  createLimiter,
  type ExportRecord,
  type ExportRequest,
  failure,
  messageOf,
  renderLocation,
  renderPortal,
  type Target,
  type TargetContext,
} from '#driver';
import type { options } from './options.ts';
import { LUN, planExport, planRemoval } from './plan.ts';
import { parseSessions, parseVolumes } from './proc.ts';

const TIMEOUT_MS = 30_000;
/** ietadm's answers that mean done already: the target is there, the unit is there. */
const OK_EXIT_CODES = [0, 234, 239];
const VOLUMES = '/proc/net/iet/volume';
const SESSIONS = '/proc/net/iet/session';

/** Opens the target; talks to nobody yet. Each method looks at what ietd has and changes only what differs. */
export function openIet({ options: values, executor, log }: TargetContext<typeof options>): Target {
  // Numbers of targets are chosen from a listing.
  const oneAtATime = createLimiter(1);
  const iqnOf = (volume: { readonly id: string; readonly name: string }) => values.target_prefix + checkedName(volume);
  const toPortal = (address: string) => renderPortal(address, values.target_port);

  async function shown() {
    const [volumes, sessions] = await Promise.all([VOLUMES, SESSIONS].map((path) => readFile(path, 'utf8'))).catch(
      (error: unknown) => {
        const reason = `${VOLUMES} cannot be read: ${messageOf(error)}. Start ietd and load its module (iscsi_trgt).`;
        throw failure('ConnectionFailed', { what: 'ietd', reason }, error);
      },
    );
    return { targets: parseVolumes(volumes!), sessions: parseSessions(sessions!) };
  }

  async function createExport({ volume, devicePath, chap }: ExportRequest): Promise<ExportRecord> {
    if (chap !== null && !values.iet_without_chap) {
      const reason =
        'ietadm takes a CHAP password only in its argv, for everybody to read. Use another target_helper, or set iet_without_chap.';
      throw failure('ExportFailure', { id: volume.id, reason });
    }
    if (/[,\n\r\0]/.test(devicePath)) {
      throw failure('ExportFailure', { id: volume.id, reason: `ietd cannot open '${devicePath}'. Move the device.` });
    }
    const iqn = iqnOf(volume);
    await oneAtATime(async () => {
      const { targets, sessions } = await shown();
      const wanted = { iqn, devicePath, ioType: values.iscsi_iotype };
      const commands = planExport(wanted, targets, sessions);
      for (const argv of commands) {
        await executor.run({ argv, privileged: true, timeoutMs: TIMEOUT_MS, okExitCodes: OK_EXIT_CODES });
      }
      if (commands.length > 0) log.info({ volume: volume.id }, 'export made right');
    });
    const [first, ...others] = [values.target_ip_address, ...values.iscsi_secondary_ip_addresses];
    return {
      providerLocation: renderLocation({ portals: [toPortal(first!), ...others.map(toPortal)], iqn, lun: LUN }),
    };
  }

  return {
    storageProtocol: 'iSCSI',

    async setUp() {
      await shown();
    },

    createExport,

    async ensureExports(requests) {
      const results = new Map<string, ExportRecord | Error>();
      for (const request of requests) {
        results.set(request.volume.id, await createExport(request).catch(asError));
      }
      return results;
    },

    async removeExport(volume) {
      await oneAtATime(async () => {
        const { targets, sessions } = await shown();
        for (const argv of planRemoval(iqnOf(volume), targets, sessions)) {
          await executor.run({ argv, privileged: true, timeoutMs: TIMEOUT_MS });
        }
      });
    },

    async initializeConnection(volume, exported, connector) {
      return connectionInfo('iscsi', volume.id, { ...exported, chap: null }, connector);
    },

    /** Nothing to do: ietd lets everybody in. */
    async terminateConnection() {},

    async list() {
      const { targets } = await shown();
      const ours = targets.filter(({ iqn }) => iqn.startsWith(values.target_prefix));
      return ours.map(({ iqn }) => iqn.slice(values.target_prefix.length));
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new AshlarError('Internal', { reason: messageOf(error) });
}
