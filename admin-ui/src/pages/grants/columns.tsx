import type { Row } from '../../api/types.ts';
import { Status } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';

export type Grant = Row<'grants'>;

export const grantColumns: readonly Column<Grant>[] = [
  {
    id: 'person',
    header: 'Person',
    cell: (row) => <Foreign text={row.username ?? row.sub} />,
  },
  {
    id: 'client',
    header: 'Client',
    cell: (row) => <Foreign text={row.client_name ?? row.client_id} />,
  },
  { id: 'resource', header: 'Resource', cell: (row) => <Foreign text={row.resource} /> },
  { id: 'scope', header: 'Scopes', cell: (row) => <ScopeList scope={row.scope} most={2} /> },
  { id: 'label', header: 'Label', hidden: true, cell: (row) => <Foreign text={row.label} /> },
  {
    id: 'workspace',
    header: 'Workspace',
    hidden: true,
    cell: (row) => <Foreign text={row.workspace_id} />,
  },
  { id: 'status', header: 'Status', width: 100, cell: (row) => <Status value={row.status} /> },
  {
    id: 'created',
    header: 'Granted',
    sort: 'created_at',
    width: 138,
    cell: (row) => <RelativeTime time={row.created_at} />,
  },
  {
    id: 'used',
    header: 'Last used',
    width: 138,
    cell: (row) => <RelativeTime time={row.last_used_at} />,
  },
];

export const grantFilters: readonly Filter<'grants'>[] = [
  { name: 'status', label: 'Status', options: optionsOf('active', 'expired', 'revoked') },
  { name: 'sub', label: 'Person' },
  { name: 'client_id', label: 'Client' },
  { name: 'resource', label: 'Resource' },
];
