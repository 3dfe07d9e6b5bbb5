import { randomUUID } from 'node:crypto';
import type { Store } from '../db/store.ts';
import { measure } from '../lib/measure.ts';
import type { Logger } from '../log/logger.ts';
import { messageOf } from '../model/errors.ts';
import type { Service } from '../model/service.ts';
import { OBJECT_HISTORY } from '../rpcapi/objects/history.ts';
import { RPC_VERSIONS } from '../rpcapi/wire/receive.ts';
import { startPeriodicTask } from './periodic-task.ts';

/** Beats in a row with foreign ones between them; a single one may be the last of a process that has just ended. */
const TWINS_SAID_AT = 2;

export interface Heartbeat {
  /** The row as it was at the last beat. */
  service(): Service;
  /** Beats now, where the service works; never rejects. */
  beat(): Promise<void>;
  stop(): Promise<void>;
}

/** The row of a service that cannot start: it is listed, as down. One that is there already stays as it is. */
export async function registerDown(
  store: Store,
  service: {
    readonly host: string;
    readonly binary: string;
    readonly availabilityZone: string;
    readonly enableNewServices: boolean;
  },
): Promise<void> {
  if ((await store.services.get(service.host, service.binary)) !== null) return;
  await store.services.register({ ...registration(service), silent: true });
}

function registration(service: {
  readonly host: string;
  readonly binary: string;
  readonly availabilityZone: string;
  readonly enableNewServices: boolean;
}) {
  const { host, binary, availabilityZone, enableNewServices } = service;
  const rpcVersions: Readonly<Record<string, string>> = RPC_VERSIONS;
  return {
    ...{ host, binary, topic: binary, availabilityZone, disabledOnCreate: !enableNewServices },
    rpcCurrentVersion: rpcVersions[binary] ?? '3.0',
    objectCurrentVersion: OBJECT_HISTORY,
  };
}

/**
 * Registers the service's row and beats every `intervalMs` until stopped. A row that was deleted is registered again.
 * Beats that are not ours mean that a second process runs under the same name, which an operator has to hear of.
 */
export async function startHeartbeat(options: {
  readonly store: Store;
  readonly host: string;
  readonly binary: string;
  readonly availabilityZone: string;
  readonly intervalMs: number;
  readonly enableNewServices: boolean;
  /** While it answers false no sign of life is written, so that the service is listed down, as Cinder's is. */
  readonly isWorking?: () => boolean;
  readonly log: Logger;
}): Promise<Heartbeat> {
  const { store, host, binary, log } = options;
  const isWorking = options.isWorking ?? (() => true);
  // One life of the service, however often its row has to be made again.
  const instance = randomUUID();
  const register = () => store.services.register({ ...registration(options), instance, silent: !isWorking() });
  let row = await register();
  let missed = 0;
  let twins = 0;
  const look = async () => {
    const seen = await store.services.get(host, binary);
    if (seen === null) return;
    twins = seen.id === row.id && seen.reportCount > row.reportCount + missed + 1 ? twins + 1 : 0;
    row = seen;
    if (twins !== TWINS_SAID_AT) return;
    log.error(
      { host, binary },
      'another process runs under this name; stop one of them: both take the same work, and neither knows of the other',
    );
  };
  const beat = async () => {
    if (!isWorking()) return;
    try {
      if (await store.services.heartbeat(row.id)) await look();
      else row = await register();
      if (missed > 0) log.info({ host, binary, missed }, 'heartbeat is written again');
      missed = 0;
      measure({ what: 'heartbeat', service: `${binary} ${host}` });
    } catch (error) {
      missed += 1;
      if (missed === 1) log.warn({ host, binary, reason: messageOf(error) }, 'heartbeat not written; trying on');
    }
  };
  const task = startPeriodicTask({ name: 'heartbeat', intervalMs: options.intervalMs, work: beat, log });
  return { service: () => row, beat, stop: () => task.stop() };
}
