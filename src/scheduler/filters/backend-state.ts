import { isServiceUp, type Service } from '../../model/service.ts';
import { type Filter, type PlacementRequest, pass, refuse, type Verdict } from './filter.ts';

/** A backend that is down takes nothing; a disabled or frozen one takes no new volume. */
export const backendStateFilter: Filter = {
  name: 'BackendStateFilter',
  check({ pool, service }, request) {
    const verdict = checkService(service, request);
    if (!verdict.pass) return verdict;
    if (pool.backendState === 'up') return pass;
    const reason = pool.capabilities.down_reason;
    return refuse(describeDown(typeof reason === 'string' ? reason : ''));
  },
};

/** What a backend that reports itself down is said to be. */
export function describeDown(reason: string): string {
  return reason === '' ? 'reports its backend as down; its log says why' : `reports its backend as down: ${reason}`;
}

/** The part that needs no report. */
export function checkService(
  service: Service,
  request: Pick<PlacementRequest, 'purpose' | 'serviceDownTimeSeconds'>,
): Verdict {
  if (!isServiceUp(service, request.serviceDownTimeSeconds)) {
    return refuse(`its service is down, the last heartbeat was ${Math.round(service.heartbeatAgeSeconds)} s ago`);
  }
  if (request.purpose === 'extend') return pass;
  if (service.disabled)
    return refuse(service.disabledReason ? `is disabled: ${service.disabledReason}` : 'is disabled');
  return service.frozen ? refuse('is frozen, thaw it first') : pass;
}
