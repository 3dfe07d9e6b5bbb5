import { option, type ValuesOf } from '../config/options.ts';

/** Options of the metrics, [DEFAULT] group. */
export const metricsOptions = {
  metrics_listen: option.hostAddress('127.0.0.1', 'Address at which each process serves /metrics for Prometheus.'),
  metrics_port: option.port(
    0,
    'The first port for /metrics: each process of this machine takes the first free one of the 32 from it on. 0: no metrics.',
  ),
  metrics_token_file: option.string(
    '$state_path/metrics-token',
    'The file with the token that a scraper sends (Authorization: Bearer …); made with a random one where it is missing.',
  ),
} as const;

export type MetricsOptions = ValuesOf<typeof metricsOptions>;
