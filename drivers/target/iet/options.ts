import { option } from '#driver';

export const options = {
  target_prefix: option.string(
    'iqn.2010-10.org.openstack:',
    'What the name of every target begins with; the volume name follows.',
  ),
  target_ip_address: option.string('$my_ip', 'Address at which initiators reach the targets.'),
  target_port: option.port(3260, 'Port at which initiators reach the targets.'),
  iscsi_secondary_ip_addresses: option.list([], 'Further addresses at which initiators reach the targets.'),
  iscsi_iotype: option.string('fileio', 'How ietd reads and writes a volume.', {
    choices: ['blockio', 'fileio', 'auto'],
  }),
  iet_without_chap: option.boolean(
    false,
    'Exports volumes without a password: ietadm takes one only in its argv, for everybody to read. Without this, ietd is not used. Limit who comes in by initiators.allow.',
  ),
} as const;
