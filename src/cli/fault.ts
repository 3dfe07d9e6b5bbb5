import type { Client } from './client.ts';
import { CliFailure } from './exit-codes.ts';
import type { MessageJson } from './resources.ts';

/** Why a resource is in an error status: the newest message about it. Null where the API has none, or does not tell. */
export async function newestFault(client: Client, resourceId: string): Promise<string | null> {
  let messages: MessageJson[];
  try {
    messages = await client.list<MessageJson>('/messages', 'messages', { resource_uuid: resourceId });
  } catch (error) {
    // The fault is an extra: that it cannot be read must not hide what the caller has to say.
    if (error instanceof CliFailure) return null;
    throw error;
  }
  const own = messages.filter(({ resource_uuid }) => resource_uuid === resourceId);
  return own.toSorted((left, right) => (left.created_at < right.created_at ? 1 : -1))[0]?.user_message ?? null;
}

/** True for `error`, `error_deleting`, `error_attaching`, … */
export function isErrorStatus(status: string): boolean {
  return status.startsWith('error');
}

/** The resource, with the field `fault` where it is in an error status. */
export async function withFault<T extends { readonly id: string; readonly status: string }>(
  client: Client,
  resource: T,
): Promise<T & { fault?: string | null }> {
  if (!isErrorStatus(resource.status)) return resource;
  return { ...resource, fault: await newestFault(client, resource.id) };
}
