import { stat } from 'node:fs/promises';
import {
  AshlarError,
  createLimiter,
  type ExportRecord,
  type ExportRequest,
  failure,
  forEachBounded,
  isFailure,
  messageOf,
  openConfigFs,
  type Step,
  type Target,
  type TargetContext,
  takeSteps,
} from '#driver';
import { findExport, findPort, portValues } from './found.ts';
import type { options } from './options.ts';
import { planAdmission, planExclusion, planExport, planRemoval } from './plan.ts';
import { connectionInfo, hostKey, hostOf, nqnOf, portsOf, prefixOf, renderLocation, wantedExport } from './wanted.ts';

const REPAIRS_AT_ONCE = 8;

/** Opens the target; touches nothing yet. plan.ts says why every method may be repeated. */
export function openNvmet({ options: values, log, executor }: TargetContext<typeof options>): Target {
  const configFs = openConfigFs(executor);
  const root = values.nvmet_configfs_dir;
  const ports = portsOf(values);
  // Ports are shared by all subsystems, and cannot be changed once one is linked.
  const onPorts = createLimiter(1);

  async function makePorts(): Promise<void> {
    for (const port of ports) {
      const wanted = portValues(port);
      const found = await findPort(configFs, root, port.id);
      const isSet = found !== null && found.addr_traddr !== '' && found.addr_trsvcid !== '';
      const differs = Object.entries(wanted).some(([name, value]) => found?.[name as keyof typeof wanted] !== value);
      if (!differs) continue;
      if (isSet && ((await configFs.list(`${root}/ports/${port.id}/subsystems`)) ?? []).length > 0) {
        const reason = `its port ${port.id} is in use at ${found.addr_traddr}:${found.addr_trsvcid}. Set nvmet_port_id to a free number.`;
        throw failure('VolumeBackendAPIException', { reason });
      }
      const path = `${root}/ports/${port.id}`;
      const steps: Step[] = Object.entries(wanted).map(([name, value]) => ({
        op: 'write',
        path: `${path}/${name}`,
        value,
      }));
      await takeSteps(configFs, [{ op: 'mkdir', path }, ...steps]);
    }
  }

  async function makeRight(request: ExportRequest): Promise<ExportRecord> {
    const { volume, devicePath } = request;
    const nqn = nqnOf(volume, values);
    const isFile = await isPlainFile(volume.id, devicePath);
    const wanted = wantedExport(request, isFile, values);
    await ofVolume(volume.id, async () => {
      await onPorts(makePorts);
      for (const host of wanted.hosts) await makeHost(host);
      const steps = planExport(root, wanted, await findExport(configFs, root, nqn), ports);
      await takeSteps(configFs, steps);
      // A device that has grown is shown to those who are connected.
      if (steps.length === 0) await showSize(nqn);
      else log.info({ volume: volume.id, steps: steps.length }, 'export made right');
    });
    return { providerLocation: renderLocation(wanted, values) };
  }

  async function showSize(nqn: string): Promise<void> {
    const path = `${root}/subsystems/${nqn}/namespaces/${values.nvmet_ns_id}/revalidate_size`;
    await takeSteps(configFs, [{ op: 'write', path, value: '1' }]);
  }

  /** nvmet's directory of a host, with the host's key where one is asked for. */
  async function makeHost(host: string): Promise<string | null> {
    const path = `${root}/hosts/${host}`;
    if ((await configFs.list(path)) === null) await takeSteps(configFs, [{ op: 'mkdir', path }]);
    if (values.nvmet_dhchap_secret === null) return null;
    const key = hostKey(values.nvmet_dhchap_secret, host);
    const found = await configFs.read(`${path}/dhchap_key`);
    if (found === null) {
      const reason = 'this kernel has no in-band authentication (CONFIG_NVME_TARGET_AUTH). Unset nvmet_dhchap_secret.';
      throw failure('VolumeBackendAPIException', { reason });
    }
    if (found !== key)
      await takeSteps(configFs, [{ op: 'write', path: `${path}/dhchap_key`, value: key, secret: true }]);
    return key;
  }

  return {
    storageProtocol: 'NVMe-TCP',

    async setUp() {
      if ((await configFs.list(`${root}/subsystems`)) !== null) return;
      const reason = 'the kernel does not have it. Load it: modprobe -a nvmet nvmet_tcp.';
      throw failure('ConnectionFailed', { what: `nvmet at ${root}`, reason });
    },

    createExport: makeRight,

    async ensureExports(requests) {
      const results = new Map<string, ExportRecord | Error>();
      await forEachBounded(requests, REPAIRS_AT_ONCE, async (request) => {
        results.set(request.volume.id, await makeRight(request).catch(asError));
      });
      return results;
    },

    async removeExport(volume) {
      const nqn = nqnOf(volume, values);
      await ofVolume(volume.id, async () => {
        await takeSteps(configFs, planRemoval(root, nqn, await findExport(configFs, root, nqn)));
      });
    },

    async initializeConnection(volume, exported, connector) {
      const host = hostOf(connector);
      if (host === null) throw failure('InvalidConnector', { missing: "nqn, the host's name" });
      const nqn = nqnOf(volume, values);
      return await ofVolume(volume.id, async () => {
        const key = await makeHost(host);
        await takeSteps(configFs, planAdmission(root, nqn, await findExport(configFs, root, nqn), host));
        return connectionInfo(volume.id, exported.providerLocation, values.nvmeof_conn_info_version, key);
      });
    },

    async terminateConnection(volume, connector) {
      const host = connector === null ? null : hostOf(connector);
      if (connector !== null && host === null) return;
      const nqn = nqnOf(volume, values);
      await ofVolume(volume.id, async () => {
        await takeSteps(configFs, planExclusion(root, nqn, await findExport(configFs, root, nqn), host));
      });
    },

    async list() {
      const prefix = prefixOf(values);
      const names = (await configFs.list(`${root}/subsystems`)) ?? [];
      return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    },
  };
}

async function isPlainFile(volumeId: string, path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    const reason = `its device ${path} cannot be looked at: ${messageOf(error)}. Make it appear, then try again.`;
    throw failure('ExportFailure', { id: volumeId, reason }, error);
  });
  return found.isFile();
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
