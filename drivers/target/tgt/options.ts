import { option } from '#driver';

export const options = {
  target_prefix: option.string(
    'iqn.2010-10.org.openstack:',
    'What the name of every target begins with; the volume name follows.',
  ),
  target_ip_address: option.string('$my_ip', 'Address at which initiators reach the targets.'),
  target_port: option.port(3260, 'Port at which initiators reach the targets.'),
  iscsi_secondary_ip_addresses: option.list([], 'Further addresses at which initiators reach the targets.'),
  target_protocol: option.string('iscsi', 'Transport of the targets.', { choices: ['iscsi', 'iser'] }),
  volumes_dir: option.string(
    '$state_path/volumes',
    'Directory of the files that describe the exports, one for each volume.',
  ),
  iscsi_write_cache: option.string('on', 'Whether exported volumes have a write cache. Off: every write is synced.', {
    choices: ['on', 'off'],
  }),
  iscsi_target_flags: option.string(
    '',
    "Flags with which tgtd opens a volume: 'sync', 'direct', 'sync:direct', or empty.",
    {
      choices: ['', 'sync', 'direct', 'sync:direct'],
    },
  ),
  tgt_initiator_acl: option.boolean(
    false,
    'Lets in only the initiators that a volume is connected to, by name. Otherwise everybody who knows its password.',
  ),
  tgt_control: option.string(
    'socket',
    'How tgtd is told: through its control socket (takes root), or by the command tgtadm (slower, and without CHAP).',
    { choices: ['socket', 'tgtadm'] },
  ),
  tgt_control_port: option.port(0, 'Control port of the tgtd to use: its -C.'),
  tgt_socket: option.string<string | null>(
    null,
    'Control socket of the tgtd to use, without the port at its end: its TGT_IPC_SOCKET. Not set: /var/run/tgtd/socket.',
  ),
} as const;
