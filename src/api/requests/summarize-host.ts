/** GET /os-hosts/{host}: what a backend holds, per project. */
import type { Store } from '../../db/store.ts';

export interface Held {
  readonly volumes: number;
  readonly volumeGb: number;
  readonly snapshots: number;
  readonly snapshotGb: number;
}

const PAGE = 1000;
const nothing: Held = { volumes: 0, volumeGb: 0, snapshots: 0, snapshotGb: 0 };

/** Sums over all volumes and snapshots of a `host@backend`, a thousand at a time. Sizes in GiB. */
export async function summarizeHost(
  { volumes, snapshots }: Store,
  serviceHost: string,
): Promise<{ readonly total: Held; readonly byProject: ReadonlyMap<string, Held> }> {
  const byProject = new Map<string, Held>();
  const add = (projectId: string | null, change: Partial<Held>) => {
    byProject.set(projectId ?? '', plus(byProject.get(projectId ?? '') ?? nothing, change));
  };
  for await (const volume of pages((afterId) => volumes.listByBackend(serviceHost, afterId, PAGE))) {
    add(volume.projectId, { volumes: 1, volumeGb: volume.sizeGb });
  }
  for await (const snapshot of pages((afterId) => snapshots.listByBackend(serviceHost, afterId, PAGE))) {
    add(snapshot.projectId, { snapshots: 1, snapshotGb: snapshot.volumeSizeGb });
  }
  return { total: [...byProject.values()].reduce(plus, nothing), byProject };
}

function plus(sum: Held, change: Partial<Held>): Held {
  return {
    volumes: sum.volumes + (change.volumes ?? 0),
    volumeGb: sum.volumeGb + (change.volumeGb ?? 0),
    snapshots: sum.snapshots + (change.snapshots ?? 0),
    snapshotGb: sum.snapshotGb + (change.snapshotGb ?? 0),
  };
}

async function* pages<T extends { readonly id: string }>(read: (afterId: string | null) => Promise<T[]>) {
  for (let afterId: string | null = null; ; ) {
    const page: T[] = await read(afterId);
    yield* page;
    if (page.length < PAGE) return;
    afterId = page.at(-1)!.id;
  }
}
