import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AshlarError,
  checkedName,
  connectionInfo,
  type ExportRecord,
  type ExportRequest,
  failure,
  forEachBounded,
  isFailure,
  messageOf,
  removeFile,
  renderLocation,
  renderPortal,
  type Target,
  type TargetContext,
  writeFileAtomically,
} from '#driver';
import { deleteTargetAndAccounts } from './accounts.ts';
import { applySteps, readIfThere } from './apply.ts';
import { createHelperTransport } from './by-helper.ts';
import { addressesOf, readInitiators, renderConfigFile, withInitiators } from './config-file.ts';
import { createSocketTransport, socketPath } from './control-socket.ts';
import { createDaemon, type Daemon, LUN } from './daemon.ts';
import type { options } from './options.ts';
import { planExport } from './plan.ts';
import type { ShownTarget } from './show.ts';
import { createTgtadmTransport } from './tgtadm.ts';
import { initiatorOf, lldOf, wantedExport } from './wanted.ts';

/** Exports that are made or repaired at the same time at start-up. */
const REPAIRS_AT_ONCE = 8;

/** Opens the target; talks to nobody yet. plan.ts says why every method may be repeated. */
export function openTgt(context: TargetContext<typeof options>): Target {
  const { options: values, log } = context;
  const daemon = openDaemon(context);
  const fileOf = (name: string) => join(values.volumes_dir, name);
  const isOurs = ({ iqn }: Pick<ShownTarget, 'iqn'>) => iqn.startsWith(values.target_prefix);
  const nameOf = ({ iqn }: Pick<ShownTarget, 'iqn'>) => iqn.slice(values.target_prefix.length);
  const contentOf = async (iqn: string) => (isOurs({ iqn }) ? await readIfThere(fileOf(nameOf({ iqn }))) : null);
  const [address, others] = [values.target_ip_address, values.iscsi_secondary_ip_addresses];
  const toPortal = (each: string) => renderPortal(each, values.target_port);

  async function makeRight(request: ExportRequest, targets: readonly ShownTarget[]): Promise<ExportRecord> {
    const { id, name } = request.volume;
    const file = fileOf(checkedName(request.volume));
    const content = await readIfThere(file);
    const target = targets.find(({ iqn }) => iqn === values.target_prefix + name) ?? null;
    const bound = target?.addresses.filter((each) => /^(iqn|eui|naa)\./.test(each)) ?? [];
    const wanted = wantedExport(request, values, content === null ? bound : readInitiators(content));
    const plan = planExport(wanted, { target, fileIsRight: content === renderConfigFile(wanted) });
    if (plan.postponed !== null) {
      log.warn({ volume: id }, `logical unit kept as it is while an initiator uses it: ${plan.postponed}`);
    }
    const lastTid = Math.max(0, ...targets.map(({ tid }) => tid));
    await applySteps(plan.steps, { wanted, target, lastTid, file, content }, { daemon, log, contentOf }).catch(
      (error: unknown) => {
        throw ofVolume(id, error);
      },
    );
    if (plan.steps.length > 0) log.info({ volume: id, steps: plan.steps }, 'export made right');
    return {
      providerLocation: renderLocation({
        portals: [toPortal(address), ...others.map(toPortal)],
        iqn: wanted.iqn,
        lun: LUN,
      }),
    };
  }

  /** In the file first: it is what the next plan compares tgtd with. */
  async function changeInitiators(
    volume: Pick<ExportRequest['volume'], 'id' | 'name'>,
    change: (names: readonly string[]) => readonly string[],
  ): Promise<void> {
    const file = fileOf(checkedName(volume));
    const content = await readIfThere(file);
    const iqn = values.target_prefix + volume.name;
    const target = (await daemon.show()).find((each) => each.iqn === iqn);
    const before = content === null ? [] : readInitiators(content);
    const after = change(before);
    if (content !== null && withInitiators(content, after) !== content) {
      await writeFileAtomically(file, withInitiators(content, after));
    }
    if (target === undefined) return;
    const { tid, addresses } = target;
    const wanted = addressesOf(after);
    await daemon.close(
      tid,
      addresses.filter((each) => !wanted.includes(each)),
    );
    await daemon.open(
      tid,
      wanted.filter((each) => !addresses.includes(each)),
    );
  }

  return {
    storageProtocol: lldOf(values) === 'iser' ? 'iSER' : 'iSCSI',

    async setUp() {
      await mkdir(values.volumes_dir, { recursive: true, mode: 0o700 });
      await daemon.show();
    },

    // Without a file there is most often no target: one that is made closed is like one that a crash has left, and no
    // listing is needed, which takes the longer the more targets there are.
    async createExport(request) {
      const { volume } = request;
      if ((await readIfThere(fileOf(checkedName(volume)))) === null) {
        // Refuses what cannot be expressed, before anything is made.
        const { iqn } = wantedExport(request, values);
        const tid = await daemon.createNewTarget(iqn).catch((error: unknown) => {
          throw ofVolume(volume.id, error);
        });
        if (tid !== null) return await makeRight(request, [newTarget(tid, iqn)]);
      }
      return await makeRight(request, await daemon.show());
    },

    async ensureExports(requests) {
      const results = new Map<string, ExportRecord | Error>();
      if (requests.length === 0) return results;
      const targets = await daemon.show();
      await forEachBounded(requests, REPAIRS_AT_ONCE, async (request) => {
        results.set(request.volume.id, await makeRight(request, targets).catch(asError));
      });
      return results;
    },

    async removeExport(volume) {
      const file = fileOf(checkedName(volume));
      try {
        await deleteTargetAndAccounts(daemon, values.target_prefix + volume.name, await readIfThere(file));
      } catch (error) {
        throw ofVolume(volume.id, error);
      }
      context.executor.mayAct?.();
      // Last: while it stands, a removal that was cut off finds the account's name in it.
      await removeFile(file);
    },

    async initializeConnection(volume, exported, connector) {
      const info = connectionInfo(lldOf(values), volume.id, exported, connector);
      if (!values.tgt_initiator_acl) return info;
      const initiator = initiatorOf(connector);
      if (initiator === null) throw failure('InvalidConnector', { missing: 'an initiator name (iqn., eui., naa.)' });
      await changeInitiators(volume, (names) => [...new Set([...names, initiator])].toSorted());
      return info;
    },

    /** Where the password alone admits an initiator there is nothing to do: it goes with the export. Sessions stay. */
    async terminateConnection(volume, connector) {
      if (!values.tgt_initiator_acl) return;
      const initiator = connector === null ? null : initiatorOf(connector);
      await changeInitiators(volume, (names) => names.filter((name) => connector !== null && name !== initiator));
    },

    async list() {
      return (await daemon.show()).filter(isOurs).map(nameOf);
    },
  };
}

function openDaemon({ options: values, executor }: TargetContext<typeof options>): Daemon {
  const { tgt_control_port: controlPort, tgt_socket: socket } = values;
  const lld = lldOf(values);
  const path = socketPath(socket, controlPort);
  const transport =
    values.tgt_control === 'tgtadm'
      ? createTgtadmTransport(executor, { lld, controlPort, socket, path })
      : executor.viaHelper === true
        ? createHelperTransport(executor, path, lld)
        : createSocketTransport(path, lld);
  return createDaemon(path, (request) => {
    if (request.op !== 'show') executor.mayAct?.();
    return transport(request);
  });
}

/** As tgtd lists one that was just made: nobody may log in. */
function newTarget(tid: number, iqn: string): ShownTarget {
  return { tid, iqn, sessions: 0, units: [], accounts: [], outgoingAccounts: [], addresses: [] };
}

/** Says which volume it was that tgtd refused something for. */
function ofVolume(id: string, error: unknown): unknown {
  if (!isFailure(error, 'VolumeBackendAPIException')) return error;
  return failure('ExportFailure', { id, reason: String(error.params.reason) }, error);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new AshlarError('Internal', { reason: messageOf(error) });
}
