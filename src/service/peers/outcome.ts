/** What became of an operation that a service of another make has taken, read off its resource. Pure. */
import { type ErrorCode, failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { snapshotTransitions, volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';

export type PeerOutcome =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly error: string };

/** How long a call whose caller is gone is waited for: longer than any caller waits for an answer. */
export const ORPHANED_AFTER_MS = 15 * 60_000;

/** Statuses beside the transition's own in which a peer still works at it. */
const alsoCreating: readonly string[] = ['downloading'];

/** `resource` is null where its row is deleted. */
export function peerOutcome(operation: Operation, resource: Volume | Snapshot | null, nowMs: number): PeerOutcome {
  const status: string | null = resource?.status ?? null;
  switch (operation.method) {
    case 'create_volume':
      if (status !== null && alsoCreating.includes(status)) return { kind: 'waiting' };
      return ofCreation(operation, status, volumeTransitions.create);
    case 'create_snapshot':
      return ofCreation(operation, status, snapshotTransitions.create);
    case 'delete_volume':
      return ofRemoval(operation, status, volumeTransitions.remove);
    case 'delete_snapshot':
      return ofRemoval(operation, status, snapshotTransitions.remove);
    case 'extend_volume': {
      if (status === volumeTransitions.extend.during) return { kind: 'waiting' };
      const wanted = Number(operation.arguments.newSizeGb);
      return resource !== null && 'sizeGb' in resource && resource.sizeGb >= wanted
        ? { kind: 'done' }
        : ended(operation, status);
    }
    case 'retype': {
      if (status === 'retyping') return { kind: 'waiting' };
      const { newTypeId } = operation.arguments;
      return resource?.volumeTypeId === newTypeId ? { kind: 'done' } : ended(operation, status);
    }
    default:
      return ofOrphanedCall(operation, nowMs);
  }
}

interface Ends {
  readonly during: string;
  readonly failed: string;
}

function ofCreation(operation: Operation, status: string | null, { during, failed }: Ends): PeerOutcome {
  if (status === during) return { kind: 'waiting' };
  return status === null || status === failed ? ended(operation, status) : { kind: 'done' };
}

function ofRemoval(operation: Operation, status: string | null, { during }: Ends): PeerOutcome {
  if (status === null || status === 'deleted') return { kind: 'done' };
  return status === during ? { kind: 'waiting' } : ended(operation, status);
}

/** Whoever called is gone, or would have ended it with the answer. */
function ofOrphanedCall({ method, owner, createdAt }: Operation, nowMs: number): PeerOutcome {
  const waitedMs = nowMs - createdAt.getTime();
  if (waitedMs < ORPHANED_AFTER_MS) return { kind: 'waiting' };
  const { message } = failure('RpcTimeout', { method, topic: owner, seconds: Math.round(waitedMs / 1000) });
  return { kind: 'failed', code: 'RpcTimeout', error: message };
}

function ended({ method, owner }: Operation, status: string | null): PeerOutcome {
  const left = status === null ? 'its row is deleted' : `it left status ${status}`;
  const code =
    owner === 'cinder-scheduler' && method === 'create_volume' ? 'NoValidBackend' : 'VolumeBackendAPIException';
  const reason = `${owner} did not do ${method}: ${left}. Its log and the messages of that service say why.`;
  return { kind: 'failed', code, error: failure(code, { reason }).message };
}
