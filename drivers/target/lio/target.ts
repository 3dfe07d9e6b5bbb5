import {
  AshlarError,
  connectionInfo,
  type ExportRecord,
  type ExportRequest,
  failure,
  forEachBounded,
  isFailure,
  messageOf,
  openConfigFs,
  renderLocation,
  type Target,
  type TargetContext,
  takeSteps,
} from '#driver';
import { lookAtDevice } from './device.ts';
import { findExport } from './found.ts';
import type { options } from './options.ts';
import { planAdmission, planExclusion, planExport, planRemoval } from './plan.ts';
import { createSave } from './save.ts';
import { editAcls, type SavedExport, toSaved } from './saved-config.ts';
import { hbaNumberOf, initiatorOf, iqnOf, LUN, mutualChapOf, portalsOf, wantedExport } from './wanted.ts';

const REPAIRS_AT_ONCE = 8;

/** Opens the target; touches nothing yet. plan.ts says why every method may be repeated. */
export function openLio(context: TargetContext<typeof options>): Target {
  const { options: values, log, executor } = context;
  const configFs = openConfigFs(executor);
  const root = values.lio_configfs_dir;
  const save = createSave(values.lio_saveconfig_file, executor);
  const find = (volume: { readonly id: string; readonly name: string }) => {
    const iqn = iqnOf(volume, values);
    return findExport(configFs, root, iqn, hbaNumberOf(volume.id));
  };

  async function makeRight(request: ExportRequest): Promise<{ record: ExportRecord; iqn: string; saved: SavedExport }> {
    const { volume, devicePath } = request;
    const wanted = wantedExport(request, await lookAtDevice(volume.id, devicePath), values);
    const plan = planExport(root, wanted, await find(volume));
    if (plan.postponed !== null) {
      log.warn({ volume: volume.id }, `storage object kept as it is while an initiator uses it: ${plan.postponed}`);
    }
    await ofVolume(volume.id, () => takeSteps(configFs, plan.steps));
    if (plan.steps.length > 0) log.info({ volume: volume.id, steps: plan.steps.length }, 'export made right');
    return {
      record: { providerLocation: renderLocation({ portals: wanted.portals, iqn: wanted.iqn, lun: LUN }) },
      iqn: wanted.iqn,
      saved: toSaved(wanted, plan.initiators),
    };
  }

  async function createExport(request: ExportRequest): Promise<ExportRecord> {
    const { record, iqn, saved } = await makeRight(request);
    await ofVolume(request.volume.id, () => save([[iqn, () => saved]]));
    return record;
  }

  return {
    storageProtocol: 'iSCSI',

    async setUp() {
      portalsOf(values);
      if ((await configFs.list(`${root}/core`)) === null) {
        throw failure('ConnectionFailed', {
          what: `LIO at ${root}`,
          reason:
            'the kernel does not have it. Load it: modprobe -a target_core_mod target_core_iblock iscsi_target_mod.',
        });
      }
      // The first directory loads the module, as targetcli does.
      await takeSteps(configFs, [{ op: 'mkdir', path: `${root}/iscsi` }]);
    },

    createExport,

    async ensureExports(requests) {
      const results = new Map<string, ExportRecord | Error>();
      const edits: [string, () => SavedExport][] = [];
      await forEachBounded(requests, REPAIRS_AT_ONCE, async (request) => {
        const made = await makeRight(request).catch(asError);
        results.set(request.volume.id, made instanceof Error ? made : made.record);
        if (!(made instanceof Error)) edits.push([made.iqn, () => made.saved]);
      });
      await save(edits).catch((error: unknown) => {
        log.error({ reason: messageOf(error) }, 'the exports serve, but a restart of the system would not find them');
      });
      return results;
    },

    async removeExport(volume) {
      const iqn = iqnOf(volume, values);
      await ofVolume(volume.id, async () => {
        const forget = () => save([[iqn, () => null]]);
        // First: a crash in between must not bring the export back at the next start of the system. The tool that a
        // service without rights has to use writes down what it finds, so it comes last.
        if (executor.viaHelper !== true) await forget();
        await takeSteps(configFs, planRemoval(root, iqn, await find(volume)));
        if (executor.viaHelper === true) await forget();
      });
    },

    async initializeConnection(volume, exported, connector) {
      const initiator = initiatorOf(connector);
      if (initiator === null) throw failure('InvalidConnector', { missing: 'an initiator name (iqn., eui., naa.)' });
      const mutualChap = exported.chap === null ? null : mutualChapOf(values);
      const info = connectionInfo('iscsi', volume.id, { ...exported, mutualChap }, { ...connector, initiator });
      const wanted = { iqn: iqnOf(volume, values), chap: exported.chap, mutualChap };
      await ofVolume(volume.id, async () => {
        await takeSteps(configFs, planAdmission(root, wanted, await find(volume), initiator));
        await save([[wanted.iqn, editAcls(initiator, wanted)]]);
      });
      return info;
    },

    async terminateConnection(volume, connector) {
      const initiator = connector === null ? null : initiatorOf(connector);
      if (connector !== null && initiator === null) return;
      await ofVolume(volume.id, async () => {
        const iqn = iqnOf(volume, values);
        await takeSteps(configFs, planExclusion(root, iqn, await find(volume), initiator));
        await save([[iqn, editAcls(initiator, null)]]);
      });
    },

    async list() {
      const names = (await configFs.list(`${root}/iscsi`)) ?? [];
      const ours = names.filter((name) => name.startsWith(values.target_prefix));
      return ours.map((name) => name.slice(values.target_prefix.length));
    },
  };
}

/** Says which volume it was that the kernel refused something for. */
async function ofVolume<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error, 'VolumeBackendAPIException')) throw error;
    throw failure('ExportFailure', { id, reason: String(error.params.reason) }, error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new AshlarError('Internal', { reason: messageOf(error) });
}
