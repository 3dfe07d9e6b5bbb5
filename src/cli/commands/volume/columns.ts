import type { Column } from '../../render/record.ts';
import type { VolumeJson } from '../../resources.ts';

/** What `volume list` can show. */
export const volumeColumns: readonly Column<VolumeJson>[] = [
  { key: 'id', label: 'ID', value: ({ id }) => id },
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'status', label: 'Status', value: ({ status }) => status },
  { key: 'size', label: 'Size', value: ({ size }) => size },
  { key: 'volume_type', label: 'Volume Type', value: ({ volume_type }) => volume_type },
  { key: 'bootable', label: 'Bootable', value: ({ bootable }) => bootable === 'true' },
  { key: 'attached_to', label: 'Attached to', value: ({ attachments }) => attachments.map(consumerOf) },
  { key: 'multiattach', label: 'Multiattach', value: ({ multiattach }) => multiattach },
  { key: 'availability_zone', label: 'Zone', value: ({ availability_zone }) => availability_zone },
  { key: 'host', label: 'Host', value: (volume) => volume['os-vol-host-attr:host'] },
  { key: 'project', label: 'Project', value: (volume) => volume['os-vol-tenant-attr:tenant_id'] },
  { key: 'created_at', label: 'Created at', value: ({ created_at }) => created_at },
  { key: 'metadata', label: 'Properties', value: ({ metadata }) => metadata },
];

/** What it shows unless --long or -c ask for more. */
export const shortVolumeColumns = ['id', 'name', 'status', 'size', 'volume_type', 'bootable', 'attached_to'];

function consumerOf(attachment: VolumeJson['attachments'][number]): string {
  return attachment.server_id ?? attachment.host_name ?? attachment.attachment_id;
}
