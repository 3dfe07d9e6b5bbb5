/** A store on a real PostgreSQL, a stand-in for the volume service, and an API on both. */
import { randomUUID } from 'node:crypto';
import type { ApiOptions } from '../../../src/api/options.ts';
import type { Store } from '../../../src/db/store.ts';
import type { NewVolume, Volume } from '../../../src/model/volume.ts';
import { DEFAULT_VOLUME_TYPE_NAME, type VolumeType } from '../../../src/model/volume-type.ts';
import type { PoolReport } from '../../../src/rpcapi/scheduler.ts';
import { startTestPostgres } from '../../support/postgres.ts';
import { createStandIn, type StandIn } from '../../support/stand-in-volume-service.ts';
import { openTestApi, PROJECT, type TestApi } from '../../support/test-api.ts';

export const BACKEND = 'node@fake';

export interface Fixture {
  readonly store: Store;
  readonly api: TestApi;
  readonly standIn: StandIn;
  readonly type: VolumeType;
  /** What the scheduler answers; a function, so that a test can let it fail. */
  pools: () => readonly PoolReport[];
  /** `freeze node@fake`, `thaw …`: what the volume service was asked. */
  readonly asked: string[];
  /** An available volume of 1 GiB on the backend, unless said otherwise. */
  addVolume(details?: Partial<NewVolume>): Promise<Volume>;
  close(): Promise<void>;
}

export async function openFixture(options: Partial<ApiOptions> = {}): Promise<Fixture> {
  const postgres = await startTestPostgres();
  const store = await postgres.freshStore();
  const type = (await store.types.getByName(DEFAULT_VOLUME_TYPE_NAME))!;
  const standIn = createStandIn(store);
  const asked: string[] = [];
  const fixture: Fixture = {
    store,
    standIn,
    type,
    asked,
    pools: () => [],
    api: openTestApi(
      {
        store,
        operations: standIn,
        scheduler: { getPools: async () => fixture.pools() },
        volume: {
          getCapabilities: async (_context, host) => ({ vendor_name: 'Ashlar', volume_backend_name: host }),
          freezeHost: async (_context, host) => asked.push(`freeze ${host}`) > 0,
          thawHost: async (_context, host) => asked.push(`thaw ${host}`) > 0,
        },
      },
      options,
    ),
    addVolume: (details = {}) =>
      store.volumes.insert({
        id: randomUUID(),
        sizeGb: 1,
        volumeTypeId: type.id,
        status: 'available',
        attachStatus: 'detached',
        host: `${BACKEND}#pool0`,
        projectId: PROJECT,
        userId: 'admin',
        ...details,
      }),
    async close() {
      await fixture.api.close();
      await store.close();
      await postgres.stop();
    },
  };
  return fixture;
}
