/** Volumes as sparse files in a directory: what a node uses where there is no device-mapper. See README.md beside. */
import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DriverContext,
  type DriverSnapshot,
  type DriverVolume,
  defineDriver,
  failure,
  messageOf,
  option,
  type VolumeDriver,
} from '#driver';
import { folders, type Kind } from './names.ts';
import { createRoom } from './room.ts';
import { createSparseFiles } from './sparse-files.ts';

const options = {
  file_volumes_dir: option.string(
    '$state_path/file-volumes',
    "Directory of the volumes' files. Each backend needs one of its own, private to the service's user.",
  ),
  file_capacity_gb: option.integer(
    null,
    'GiB that all volumes and snapshots may have together; when not set, they may promise more than the disk holds.',
    { min: 0 },
  ),
} as const;

export const fileDriver = defineDriver({ name: 'file', options, open: openFileDriver });

const GIB = 1024 ** 3;

function openFileDriver(context: DriverContext<typeof options>): VolumeDriver {
  const { backend, executor, log } = context;
  const directory = context.options.file_volumes_dir;
  const capacityGb = context.options.file_capacity_gb;
  const files = createSparseFiles({ directory, executor, log });
  const room = createRoom({ capacityGb, list: files.list });

  /** The file that something is made from, and its size. */
  async function requireFile(kind: Kind, { id, name }: { readonly id: string; readonly name: string }) {
    const sizeBytes = await files.find(kind, name);
    if (sizeBytes === null) throw failure(kind === 'volume' ? 'VolumeNotFound' : 'SnapshotNotFound', { id });
    return { kind, name, sizeBytes };
  }

  async function copyTo(kind: Kind, name: string, sizeGb: number, from: Kind, source: DriverVolume | DriverSnapshot) {
    if ((await files.find(kind, name)) !== null) return;
    const origin = await requireFile(from, source);
    const sizeBytes = Math.max(sizeGb * GIB, origin.sizeBytes);
    await room.within({ name, sizeBytes }, () => files.createCopy(kind, name, sizeBytes, origin));
  }

  return {
    setUp: () => prepare(directory),

    async createVolume({ name, sizeGb }) {
      if ((await files.find('volume', name)) !== null) return;
      await room.within({ name, sizeBytes: sizeGb * GIB }, () => files.createEmpty('volume', name, sizeGb * GIB));
    },
    createVolumeFromSnapshot: (volume, snapshot) => copyTo('volume', volume.name, volume.sizeGb, 'snapshot', snapshot),
    createClonedVolume: (volume, source) => copyTo('volume', volume.name, volume.sizeGb, 'volume', source),
    createSnapshot: (snapshot) => copyTo('snapshot', snapshot.name, 0, 'volume', snapshot.volume),
    deleteVolume: ({ name }) => files.remove('volume', name),
    deleteSnapshot: ({ name }) => files.remove('snapshot', name),

    async extendVolume(volume, newSizeGb) {
      const { sizeBytes } = await requireFile('volume', volume);
      if (sizeBytes >= newSizeGb * GIB) return;
      const grown = { name: volume.name, sizeBytes: newSizeGb * GIB };
      await room.within(grown, () => files.grow('volume', grown.name, grown.sizeBytes));
    },

    async devicePath(volume) {
      await requireFile('volume', volume);
      return files.path('volume', volume.name);
    },

    async stats() {
      const list = await files.list();
      const usedGb = totalBytes(list) / GIB;
      const { totalBytes: diskBytes, freeBytes } = await files.space();
      // With a cap on the sum of sizes nothing may be promised twice; without one the files are thin.
      const [totalGb, freeGb] =
        capacityGb === null ? [diskBytes / GIB, freeBytes / GIB] : [capacityGb, Math.max(0, capacityGb - usedGb)];
      return {
        vendorName: 'Ashlar',
        driverVersion: '1.0.0',
        pools: [
          {
            name: backend,
            total: { kind: 'known', gb: rounded(totalGb) },
            free: { kind: 'known', gb: rounded(freeGb) },
            provisionedGb: rounded(usedGb),
            thinProvisioning: capacityGb === null,
            thickProvisioning: capacityGb !== null,
            totalVolumes: list.filter((file) => file.kind === 'volume').length,
            extra: {},
          },
        ],
      };
    },
    poolOf: async (volume) => ((await files.find('volume', volume.name)) === null ? null : backend),
    list: () => files.list(),
  };
}

/** Makes the directory and its two folders, and sees that they can be written to. */
async function prepare(directory: string): Promise<void> {
  try {
    for (const path of [directory, ...Object.values(folders).map((folder) => join(directory, folder))]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    throw failure(
      'VolumeBackendAPIException',
      {
        reason:
          `the directory ${directory} (file_volumes_dir) cannot be used: ${messageOf(error)}. ` +
          'Give it to the user that the service runs as, or name another one.',
      },
      error,
    );
  }
}

function totalBytes(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

function rounded(gb: number): number {
  return Math.round(gb * 100) / 100;
}
