/** What of Block Storage v3's extensions is served here, as clients list them. Pure. */

export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
  readonly updated: string;
}

function extension(alias: string, name: string, updated: string, description: string): Extension {
  return { alias, name, description, updated };
}

export const extensions: readonly Extension[] = [
  extension(
    'os-admin-actions',
    'AdminActions',
    '2012-08-25T00:00:00+00:00',
    'Reset a status, force a delete or a detach.',
  ),
  extension('os-availability-zone', 'AvailabilityZones', '2013-06-27T00:00:00+00:00', 'List availability zones.'),
  extension('capabilities', 'Capabilities', '2015-08-31T00:00:00+00:00', 'Show what a backend can do.'),
  extension('os-extended-services', 'ExtendedServices', '2014-01-10T00:00:00-00:00', 'Say why a service was disabled.'),
  extension(
    'os-extended-snapshot-attributes',
    'ExtendedSnapshotAttributes',
    '2012-06-19T00:00:00+00:00',
    'Show the progress and the project of snapshots.',
  ),
  extension('os-hosts', 'Hosts', '2011-06-29T00:00:00+00:00', 'List hosts and what they hold.'),
  extension('os-quota-class-sets', 'QuotaClasses', '2012-03-12T00:00:00+00:00', 'Show quota classes.'),
  extension('os-quota-sets', 'Quotas', '2011-08-08T00:00:00+00:00', "Show and set a project's quotas."),
  extension(
    'scheduler-stats',
    'Scheduler_stats',
    '2014-09-07T00:00:00+00:00',
    'List the pools that a scheduler knows.',
  ),
  extension('os-services', 'Services', '2012-10-28T00:00:00-00:00', 'List, enable and disable services.'),
  extension(
    'os-types-extra-specs',
    'TypesExtraSpecs',
    '2011-08-24T00:00:00+00:00',
    'Edit the extra specs of volume types.',
  ),
  extension('os-types-manage', 'TypesManage', '2011-08-24T00:00:00+00:00', 'Create, change and delete volume types.'),
  extension('os-used-limits', 'UsedLimits', '2013-10-03T00:00:00+00:00', 'Show how much of the limits is in use.'),
  extension(
    'os-volume-actions',
    'VolumeActions',
    '2012-05-31T00:00:00+00:00',
    'Attach, detach, extend volumes and more.',
  ),
  extension('os-vol-host-attr', 'VolumeHostAttribute', '2011-11-03T00:00:00+00:00', "Show a volume's host."),
  extension('os-vol-tenant-attr', 'VolumeTenantAttribute', '2011-11-03T00:00:00+00:00', "Show a volume's project."),
  extension(
    'os-volume-type-access',
    'VolumeTypeAccess',
    '2014-06-26T00:00:00Z',
    'Say who may use a private volume type.',
  ),
];

export function extensionView({ alias, name, description, updated }: Extension) {
  return { name, alias, description, updated, links: [] };
}
