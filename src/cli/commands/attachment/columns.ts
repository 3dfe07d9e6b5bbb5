import type { Column } from '../../render/record.ts';
import type { AttachmentJson } from '../../resources.ts';

/** What `attachment list` can show. Never the connection information: it holds the CHAP password. */
export const attachmentColumns: readonly Column<AttachmentJson>[] = [
  { key: 'id', label: 'ID', value: ({ id }) => id },
  { key: 'volume_id', label: 'Volume ID', value: ({ volume_id }) => volume_id },
  { key: 'status', label: 'Status', value: ({ status }) => status },
  { key: 'instance', label: 'Server ID', value: ({ instance }) => instance },
  { key: 'attach_mode', label: 'Mode', value: ({ attach_mode }) => attach_mode },
  { key: 'attached_at', label: 'Attached at', value: ({ attached_at }) => attached_at },
];

/** What it shows unless --long or -c ask for more. */
export const shortAttachmentColumns = ['id', 'volume_id', 'status', 'instance'];
