/**
 * A complete target that exports nothing: the template for new targets, and the target of tests that are about
 * something else. It keeps a table of exports in memory, or in a small JSON file so that it survives a restart. Copy it,
 * and replace `change` by what your target does.
 */
import { readFile } from 'node:fs/promises';
import {
  type ChapCredentials,
  defineTarget,
  type ExportRecord,
  type ExportRequest,
  failpoint,
  failure,
  option,
  type Target,
  type TargetContext,
  writeFileAtomically,
} from '#driver';

const options = {
  target_prefix: option.string(
    'iqn.2010-10.org.openstack:',
    'What the name of every target begins with; the volume name follows.',
  ),
  target_ip_address: option.string('$my_ip', 'Address at which initiators reach the targets.'),
  target_port: option.port(3260, 'Port at which initiators reach the targets.'),
  fake_target_state_file: option.string<string | null>(
    null,
    'File in which the fake target keeps its table, so that a restart finds it again; memory alone when not set.',
  ),
  fake_target_fail: option.list([], 'Methods that fail, such as createExport: for tests of what happens then.'),
} as const;

export const fakeTarget = defineTarget({ name: 'fake', options, open: openFake });

interface FakeExport {
  readonly devicePath: string;
  readonly chap: ChapCredentials | null;
}
type Table = ReadonlyMap<string, FakeExport>;

function openFake({ options: settings, log }: TargetContext<typeof options>): Target {
  let table: Table = new Map();
  let queue: Promise<unknown> = Promise.resolve();

  /** The file, where there is one, is the truth: another object may have written it. */
  async function current(): Promise<Table> {
    return settings.fake_target_state_file === null ? table : await readTable(settings.fake_target_state_file);
  }

  function mustWork(method: string): void {
    if (!settings.fake_target_fail.includes(method)) return;
    throw failure('VolumeBackendAPIException', { reason: `${method} fails because fake_target_fail names it.` });
  }

  /** One change at a time; it is in the table only when it is in the file. `edit` answers null where nothing is to do. */
  function change(method: string, edit: (table: Table) => Table | null): Promise<void> {
    const turn = queue.then(async () => {
      failpoint(`faketarget.${method}.before`);
      const next = edit(await current());
      if (next === null) return;
      if (settings.fake_target_state_file !== null) {
        await writeFileAtomically(settings.fake_target_state_file, `${JSON.stringify([...next], null, 1)}\n`);
      }
      table = next;
      failpoint(`faketarget.${method}.after`);
      log.debug({ method, exports: next.size }, 'fake target changed');
    });
    // The next change waits for this one, and does not care how it ended.
    queue = turn.catch(() => {});
    return turn;
  }

  async function createExport({ volume, devicePath, chap }: ExportRequest): Promise<ExportRecord> {
    mustWork('createExport');
    const wanted = { devicePath, chap };
    await change('createExport', (before) =>
      JSON.stringify(before.get(volume.name)) === JSON.stringify(wanted)
        ? null
        : new Map(before).set(volume.name, wanted),
    );
    const portal = `${settings.target_ip_address}:${settings.target_port}`;
    return { providerLocation: `${portal},1 ${settings.target_prefix}${volume.name} 1` };
  }

  return {
    storageProtocol: 'iSCSI',

    async setUp() {
      mustWork('setUp');
      await current();
    },

    createExport,

    async ensureExports(requests) {
      mustWork('ensureExports');
      const results = new Map<string, ExportRecord | Error>();
      for (const request of requests) {
        results.set(request.volume.id, await createExport(request).catch((error: Error) => error));
      }
      return results;
    },

    async removeExport({ name }) {
      mustWork('removeExport');
      await change('removeExport', (before) => {
        const after = new Map(before);
        return after.delete(name) ? after : null;
      });
    },

    async initializeConnection(volume, { providerLocation, chap }, connector) {
      mustWork('initializeConnection');
      if (typeof connector.initiator !== 'string' || connector.initiator === '') {
        throw failure('InvalidConnector', { missing: 'initiator' });
      }
      const [portal = '', , iqn = ''] = providerLocation.split(/[, ]/);
      return {
        driver_volume_type: 'iscsi',
        data: {
          target_discovered: false,
          target_portal: portal,
          target_iqn: iqn,
          target_lun: 1,
          volume_id: volume.id,
          ...(chap === null ? {} : { auth_method: 'CHAP', auth_username: chap.username, auth_password: chap.password }),
        },
      };
    },

    async terminateConnection() {
      mustWork('terminateConnection');
    },

    async list() {
      return [...(await current()).keys()];
    },
  };
}

/** A file that is not there yet is an empty table. The file holds passwords: writeFileAtomically makes it 0600. */
async function readTable(path: string): Promise<Table> {
  try {
    return new Map(JSON.parse(await readFile(path, 'utf8')) as [string, FakeExport][]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw failure(
      'VolumeBackendAPIException',
      { reason: `${path} is not a table of the fake target. Remove it.` },
      error,
    );
  }
}
