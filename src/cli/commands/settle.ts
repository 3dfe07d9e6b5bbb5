import type { WaitOptions } from '../arguments.ts';
import type { Client } from '../client.ts';
import { CliFailure, EXIT } from '../exit-codes.ts';
import { isErrorStatus, newestFault } from '../fault.ts';
import type { CliIo } from '../io.ts';
import { waitWhile } from '../wait.ts';

interface Resource {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
}

export interface Work<T> {
  readonly noun: 'volume' | 'snapshot';
  readonly resource: Resource;
  /** The statuses of a resource that is still being worked on. */
  readonly during: readonly string[];
  read(): Promise<T | null>;
}

/** `volume data`, or `volume <id>` where it has no name. */
export function labelOf(noun: string, resource: Pick<Resource, 'id' | 'name'>): string {
  return `${noun} ${resource.name || resource.id}`;
}

/** Waits until the work on a resource is over. Null when the resource is gone. */
export function settle<T extends Resource>(io: CliIo, work: Work<T>, options: WaitOptions): Promise<T | null> {
  return waitWhile(io, {
    what: labelOf(work.noun, work.resource),
    look: `ashlar ${work.noun} show ${work.resource.id}`,
    limitMs: options.timeout * 1000,
    read: work.read,
    statusOf: ({ status }) => status,
    isAtWork: (resource) => resource !== null && work.during.includes(resource.status),
  });
}

/** Throws with the reason, as far as the API tells it, when the work ended in an error status, or the resource is gone. */
export async function requireSuccess<T extends Resource>(client: Client, work: Work<T>, ended: T | null): Promise<T> {
  const label = labelOf(work.noun, work.resource);
  if (ended === null) throw new CliFailure(EXIT.failed, `${label} was deleted meanwhile.`);
  if (!isErrorStatus(ended.status)) return ended;
  throw await failedWork(client, ended.id, `${label} ended in '${ended.status}'`);
}

/** Throws unless the resource is gone. */
export async function requireGone<T extends Resource>(client: Client, work: Work<T>, ended: T | null): Promise<void> {
  if (ended === null) return;
  throw await failedWork(
    client,
    ended.id,
    `${labelOf(work.noun, work.resource)} was not deleted, it is '${ended.status}'`,
  );
}

/** What happened, and why by the newest message. */
export async function failedWork(client: Client, id: string, what: string): Promise<CliFailure> {
  const fault = await newestFault(client, id);
  return new CliFailure(EXIT.failed, `${what}: ${fault ?? 'the API has no message that says why; see its log.'}`);
}
