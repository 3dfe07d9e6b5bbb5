import { option } from '../config/options.ts';

/** How commands become root, [DEFAULT] group. The names are not Cinder's: its rootwrap.conf is for its own helper. */
export const execOptions = {
  privileged_commands: option.string(
    'auto',
    'How commands that need root get it. root: we are root ourselves. daemon: through the privileged helper, started once ' +
      'by sudo. sudo: a helper for each command. none: they are refused. auto: root for root, else daemon where the ' +
      'helper is installed, else none.',
    { choices: ['auto', 'root', 'daemon', 'sudo', 'none'] },
  ),
  privileged_helper: option.string('/usr/bin/ashlar-rootwrap', 'The privileged helper. The sudoers file names it too.'),
  privileged_helper_config: option.string(
    '/etc/ashlar/rootwrap.conf',
    "The privileged helper's configuration. The sudoers file names it too.",
  ),
} as const;
