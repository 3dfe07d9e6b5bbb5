/** PUT /os-services/…: takes a service out of use, or back into it. */
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { ApiServices } from '../route.ts';
import { VOLUME_BINARY } from '../views/service.ts';

/** A disabled service gets no new volumes; what it has goes on. ServiceNotFound. */
export async function setServiceDisabled(
  { store }: ApiServices,
  named: { readonly host: string; readonly binary: string },
  disabled: boolean,
  reason: string | null,
): Promise<void> {
  const service = await store.services.get(named.host, named.binary);
  if (service === null) throw failure('ServiceNotFound', named);
  if ((await store.services.setDisabled(service.id, disabled, reason)) === null)
    throw failure('ServiceNotFound', named);
}

/**
 * Freezes or thaws a backend's management (no creates, no deletes; data goes on). The backend is asked first: where it
 * refuses, nothing has changed. Freezing what is frozen is fine. InvalidInput for a host without a volume service.
 */
export async function setServiceFrozen(
  { store, volume }: ApiServices,
  context: RequestContext,
  host: string,
  frozen: boolean,
): Promise<void> {
  const service = await store.services.get(host, VOLUME_BINARY);
  // Not a 404: the path names what to do, the body names the host.
  if (service === null) throw failure('InvalidInput', { reason: `there is no volume service on host ${host}.` });
  await (frozen ? volume.freezeHost(context, host) : volume.thawHost(context, host));
  await store.transaction(async (tx) => {
    await tx.services.setFrozen(service.id, frozen);
    await tx.services.setDisabled(service.id, frozen, frozen ? 'frozen' : null);
  });
}
