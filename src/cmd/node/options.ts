import { option } from '../../config/options.ts';

/** Options of the process itself, [DEFAULT] group. */
export const processOptions = {
  debug: option.boolean(false, 'Log at level debug.', { mutable: true }),
  log_file: option.string(
    '$state_path/log/ashlar.log',
    'Where the log goes, one JSON line each: a path, or the words stdout or stderr.',
  ),
  own_tgtd: option.boolean(
    false,
    'Start a tgtd of our own, on loopback, and use it for every backend whose target_helper is tgtadm.',
  ),
} as const;
