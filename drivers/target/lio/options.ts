import { option } from '#driver';

export const options = {
  target_prefix: option.string(
    'iqn.2010-10.org.openstack:',
    'What the name of every target begins with; the volume name follows.',
  ),
  target_ip_address: option.string('$my_ip', 'Address at which initiators reach the targets.'),
  target_port: option.port(3260, 'Port at which initiators reach the targets.'),
  iscsi_secondary_ip_addresses: option.list([], 'Further addresses at which initiators reach the targets.'),
  iscsi_write_cache: option.string('on', 'Whether exported volumes have a write cache. Off: every write is synced.', {
    choices: ['on', 'off'],
  }),
  mutual_chap_username: option.string<string | null>(
    null,
    'User name with which targets prove themselves to initiators that ask for it (mutual CHAP).',
  ),
  mutual_chap_password: option.string<string | null>(null, 'Password of mutual_chap_username.', { secret: true }),
  lio_saveconfig_file: option.string<string | null>(
    null,
    "targetcli's file, from which the system restores the exports when it starts. Not set: where the system keeps it, /etc/rtslib-fb-target or /etc/target; empty: none.",
  ),
  lio_configfs_dir: option.string('/sys/kernel/config/target', "Where LIO's part of configfs is."),
} as const;
