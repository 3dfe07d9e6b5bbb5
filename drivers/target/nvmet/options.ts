import { option } from '#driver';

export const options = {
  target_prefix: option.string(
    'iqn.2010-10.org.openstack:',
    'What the name of every target begins with; the volume name follows.',
  ),
  target_ip_address: option.string('$my_ip', 'Address at which initiators reach the targets.'),
  target_port: option.port(3260, 'Port at which initiators reach the targets.'),
  iscsi_secondary_ip_addresses: option.list([], 'Further addresses at which initiators reach the targets.'),
  nvmet_port_id: option.port(
    1,
    "Number of nvmet's port for the first address; further addresses have the numbers after it.",
  ),
  nvmet_ns_id: option.integer(10, 'Number of the namespace in each subsystem.', { min: 1 }),
  nvmeof_conn_info_version: option.integer(
    1,
    'Form of the connection information: 1, one portal; 2, all portals and the uuid (os-brick from 4.2 on).',
    { min: 1, max: 2 },
  ),
  nvmet_dhchap_secret: option.string<string | null>(
    null,
    'When set, every host has to prove itself in-band (DH-HMAC-CHAP) with a key made of this and its name. Takes a kernel with CONFIG_NVME_TARGET_AUTH; os-brick does not hand the key on.',
    { secret: true },
  ),
  nvmet_configfs_dir: option.string('/sys/kernel/config/nvmet', "Where nvmet's part of configfs is."),
} as const;
