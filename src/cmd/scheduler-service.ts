import { schedulerOptions } from '../scheduler/options.ts';
import { type SchedulerService, startSchedulerService } from '../scheduler/service.ts';
import { serviceOptions } from '../service/options.ts';
import type { Shared } from './services.ts';

export function startScheduler(shared: Shared): Promise<SchedulerService> {
  const { config, store, transport, host } = shared;
  const service = config.section('DEFAULT', serviceOptions);
  return startSchedulerService({
    store,
    transport,
    host,
    options: config.section('DEFAULT', schedulerOptions),
    availabilityZone: service.storage_availability_zone,
    reportIntervalMs: service.report_interval * 1000,
    enableNewServices: service.enable_new_services,
    log: shared.log.child({ service: 'scheduler' }),
  });
}
