/** API, scheduler and a volume service as processes of their own, with file volumes and a tgtd, and requests to them. */
import { randomFillSync } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Load } from './load.ts';
import { auditPromises, filesIn } from './node-audit.ts';
import { type ApiClient, eventually, openClient } from './node-process.ts';
import { type ConfigGroups, isRunning, type RoleBed, type RoleProcess, startRoleBed, untilSaid } from './role-bed.ts';
import { startTestTgtd, type TestTgtd } from './tgtd.ts';

export const SERVICE_HOST = 'node@file';
/** As `ps` shows it. */
export const CHILD = 'ashlar volume: file';

export interface RoleLane {
  readonly bed: RoleBed;
  readonly api: RoleProcess;
  readonly client: ApiClient;
  /** The parent that runs now. */
  volume(): RoleProcess;
  /** Writes the configuration anew. */
  configure(options?: {
    readonly common?: ConfigGroups[string];
    readonly backend?: ConfigGroups[string];
    readonly more?: ConfigGroups;
  }): Promise<void>;
  /** Starts another parent and waits until its backend is up. */
  startVolume(): Promise<RoleProcess>;
  /** The pid of the backend's child, once there is one other than `except` and it has said that the backend is up. */
  childUp(except?: number): Promise<number>;
  /** Makes a volume of which that much is written. */
  makeSource(megabytes: number): Promise<string>;
  /** Where its bytes are. */
  fileOf(volumeId: string): string;
  /** Processes that still work on the volumes' files. */
  commands(): Promise<readonly string[]>;
  audit(promised: Pick<Load, 'volumes' | 'snapshots'>): Promise<void>;
  close(): Promise<void>;
}

/** Quotas are for others; who waits for a service that was killed is answered soon. */
const COMMON = { quota_volumes: -1, quota_snapshots: -1, quota_gigabytes: -1, enabled_backends: 'file' };

export async function startRoleLane(options: { readonly common?: ConfigGroups[string] } = {}): Promise<RoleLane> {
  const [bed, tgtd] = await Promise.all([startRoleBed(), startTestTgtd()]);
  const program = process.env.ASHLAR_BUNDLE;
  const start = (role: string) => bed.start(role, program === undefined ? {} : { program });
  const configure: RoleLane['configure'] = ({ common = {}, backend = {}, more = {} } = {}) =>
    bed.configure({
      DEFAULT: { ...COMMON, osapi_volume_workers: 1, ...options.common, ...common },
      file: { volume_driver: 'file', target_helper: 'tgtadm', ...locationOf(tgtd), ...backend },
      ...more,
    });
  const volumes = join(bed.directory, 'state/file-volumes');
  const fileOf = (id: string) => join(volumes, 'volumes', `volume-${id}`);
  let volume: RoleProcess;
  const startVolume = async () => {
    volume = start('volume');
    await untilSaid(volume, /Ashlar volume is up/);
    return volume;
  };
  await configure();
  const [api, scheduler] = [start('api'), start('scheduler')];
  const [[, url]] = await Promise.all([
    untilSaid(api, /API: (http\S+)\./),
    untilSaid(scheduler, /is up/),
    startVolume(),
  ]);
  const token = (await readFile(join(bed.directory, 'state', 'admin-token'), 'utf8')).trim();
  const client = openClient(url!, token);
  return {
    bed,
    api,
    client,
    volume: () => volume,
    configure,
    startVolume,
    childUp: (except) =>
      eventually('a child whose backend is up', async () => {
        const pid = (await volume.children()).get(CHILD);
        if (pid === undefined || pid === except) return undefined;
        const lines = await bed.logLines();
        return lines.some((line) => line.pid === pid && line.msg === 'backend is up') ? pid : undefined;
      }),
    async makeSource(megabytes) {
      const { body } = await client.request('POST', '/volumes', { volume: { size: 1 } });
      const { id } = body.volume as { readonly id: string };
      await eventually('the source', async () => {
        const answer = await client.request('GET', `/volumes/${id}`);
        return answer.body.volume.status === 'available' ? true : undefined;
      });
      await fill(fileOf(id), megabytes);
      return id;
    },
    fileOf,
    commands: () => commandsOn(volumes),
    async audit(promised) {
      await auditPromises({
        store: bed.store,
        serviceHost: SERVICE_HOST,
        files: () => filesIn(volumes),
        exports: async () => ({
          targets: (await tgtd.targets()).map(({ iqn }) => iqn.slice(iqn.indexOf(':') + 1)).sort(),
          accounts: (await tgtd.accounts()).sort(),
        }),
        promised,
      });
    },
    async close() {
      await bed.close();
      await tgtd.close();
    },
  };
}

function locationOf(tgtd: TestTgtd): ConfigGroups[string] {
  return {
    target_ip_address: tgtd.address,
    target_port: tgtd.daemon.port,
    tgt_control_port: tgtd.daemon.controlPort,
    tgt_socket: tgtd.daemon.socket,
    volumes_dir: join(tgtd.directory, 'exports'),
  };
}

async function fill(path: string, megabytes: number): Promise<void> {
  const block = randomFillSync(Buffer.alloc(2 ** 20));
  const file = await open(path, 'r+');
  try {
    for (let index = 0; index < megabytes; index += 1) await file.write(block, 0, block.length, index * block.length);
  } finally {
    await file.close();
  }
}

/** Command lines of running processes that name something below the directory. */
async function commandsOn(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(directory) && (await isRunning(Number(pid)))) found.push(line.replaceAll('\0', ' '));
  }
  return found;
}
