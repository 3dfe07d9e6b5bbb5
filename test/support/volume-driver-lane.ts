import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { DriverSnapshot, DriverVolume, VolumeDriver } from '../../src/driver/driver.ts';

/** One fresh, empty backend. */
export interface SuiteBackend {
  readonly driver: VolumeDriver;
  /** Another driver object on the same backend, set up: what a restart of the service makes. */
  reopen(): Promise<VolumeDriver>;
  /** Puts something there that is not ours, under a name; tells later whether it is as it was. */
  readonly makeForeign?: (name: string) => Promise<() => Promise<boolean>>;
  close(): Promise<void>;
}

export interface VolumeDriverLane {
  open(): Promise<SuiteBackend>;
  /** What the suite takes for one GiB, in GiB: where copying is slow, a small fraction. Default 1. */
  readonly unitGb?: number;
  /** For the whole suite. Default ten minutes. */
  readonly timeoutMs?: number;
  /** GiB that fit, but not twice, and that do not fit at all; or why nothing is ever too much here. */
  readonly capacityGb: { readonly fits: number; readonly tooMuch: number } | string;
  /** true, or why this lane cannot try it. Skipped tests are counted. */
  readonly capabilities: {
    readonly copies: true | string;
    readonly bytes: true | string;
    readonly foreign: true | string;
    readonly reverts?: true;
  };
  /** Programs of the driver that only read. */
  readonly readers?: readonly string[];
  readonly readBytes?: (path: string, offset: number, length: number) => Promise<Buffer>;
  readonly writeBytes?: (path: string, offset: number, bytes: Buffer) => Promise<void>;
}

export const GIB = 1024 ** 3;
const CHUNK = 64 * 1024;

/** What the tests do with a lane's backends and bytes. */
export function toolsOf(lane: VolumeDriverLane) {
  const unitGb = lane.unitGb ?? 1;
  const unitBytes = unitGb * GIB;
  const spots = [0, CHUNK, 5 * 1024 ** 2, unitBytes / 2 + CHUNK, unitBytes - CHUNK];
  return {
    unitGb,
    unitBytes,
    newVolume: (units: number) => newVolume(units * unitGb),
    /** Places in a volume of one unit that bytes are written to and read from: both ends and some between. */
    spots,
    /** The same places in a second unit. */
    behind: spots.map((spot) => spot + unitBytes),
    /** Fills places of a volume with one byte value. */
    async write(driver: VolumeDriver, volume: DriverVolume, fill: number): Promise<void> {
      const path = await driver.devicePath(volume);
      for (const spot of spots) await lane.writeBytes!(path, spot, Buffer.alloc(CHUNK, fill));
    },
    async assertFilled(driver: VolumeDriver, volume: DriverVolume, fill: number, places = spots): Promise<void> {
      const path = await driver.devicePath(volume);
      for (const spot of places) {
        const found = await lane.readBytes!(path, spot, CHUNK);
        assert.ok(found.equals(Buffer.alloc(CHUNK, fill)), `${volume.name} at ${spot}: ${found[0]}, expected ${fill}`);
      }
    },
    /** A test's body, on a backend of its own. */
    withBackend: (body: (driver: VolumeDriver, backend: SuiteBackend) => Promise<void>) => async () => {
      const backend = await lane.open();
      try {
        await body(backend.driver, backend);
      } finally {
        await backend.close();
      }
    },
  };
}

/** A volume that nobody has. */
export function newVolume(sizeGb: number): DriverVolume {
  const id = randomUUID();
  return { id, name: `volume-${id}`, sizeGb, pool: null, providerId: null, extraSpecs: {} };
}

export function snapshotOf(volume: DriverVolume): DriverSnapshot {
  const id = randomUUID();
  return { id, name: `snapshot-${id}`, volume, sizeGb: volume.sizeGb, providerId: null };
}

/** Options of a test that needs these capabilities. */
export function skipUnless(...capabilities: readonly (true | string)[]): { skip?: string } {
  const reason = capabilities.find((capability) => capability !== true);
  return typeof reason === 'string' ? { skip: reason } : {};
}
