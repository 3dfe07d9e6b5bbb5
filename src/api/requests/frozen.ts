import type { Store } from '../../db/store.ts';
import { serviceHost } from '../../model/backend.ts';
import { failure } from '../../model/errors.ts';

/** InvalidInput where an administrator froze the backend: it keeps serving what it has, and nothing may be made or deleted. */
export async function refuseFrozen(store: Store, host: string): Promise<void> {
  const service = await store.services.get(serviceHost(host), 'cinder-volume');
  if (service?.frozen !== true) return;
  throw failure('InvalidInput', { reason: `backend ${serviceHost(host)} is frozen. An administrator can thaw it.` });
}
