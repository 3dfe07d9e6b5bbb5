import type { Column } from '../../render/record.ts';
import type { SnapshotJson } from '../../resources.ts';

/** What `snapshot list` can show. */
export const snapshotColumns: readonly Column<SnapshotJson>[] = [
  { key: 'id', label: 'ID', value: ({ id }) => id },
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'volume_id', label: 'Volume ID', value: ({ volume_id }) => volume_id },
  { key: 'status', label: 'Status', value: ({ status }) => status },
  { key: 'size', label: 'Size', value: ({ size }) => size },
  { key: 'description', label: 'Description', value: ({ description }) => description },
  { key: 'project', label: 'Project', value: (snapshot) => snapshot['os-extended-snapshot-attributes:project_id'] },
  { key: 'created_at', label: 'Created at', value: ({ created_at }) => created_at },
  { key: 'metadata', label: 'Properties', value: ({ metadata }) => metadata },
];

/** What it shows unless --long or -c ask for more. */
export const shortSnapshotColumns = ['id', 'name', 'volume_id', 'status', 'size'];
