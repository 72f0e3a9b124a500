import type { Row } from '../../api/types.ts';
import { Status } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText } from '../../parts/foreign.ts';
import { Provenance } from '../../parts/Provenance.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';

export type Client = Row<'clients'>;

/** Hosts to which answers go, the first two of them. */
function Hosts({ hosts }: { hosts: readonly string[] }) {
  if (hosts.length === 0) return <span className="dim">none</span>;
  const shown = hosts.slice(0, 2).map(plainText).join(', ');
  return <Foreign text={hosts.length > 2 ? `${shown} +${hosts.length - 2}` : shown} limit={70} />;
}

export const clientColumns: readonly Column<Client>[] = [
  {
    id: 'name',
    header: 'Client',
    cell: (row) => <Foreign text={row.client_name ?? row.client_id} />,
  },
  {
    id: 'kind',
    header: 'Known by',
    width: 150,
    cell: (row) => <Provenance kind={row.kind} host={row.document_host} />,
  },
  {
    id: 'client_id',
    header: 'client_id',
    hidden: true,
    cell: (row) => <Foreign text={row.client_id} />,
  },
  { id: 'hosts', header: 'Sends back to', cell: (row) => <Hosts hosts={row.redirect_hosts} /> },
  {
    id: 'grant_types',
    header: 'Grant types',
    hidden: true,
    cell: (row) => <Foreign text={row.grant_types.join(', ')} limit={80} />,
  },
  {
    id: 'grants',
    header: 'Grants',
    width: 80,
    align: 'end',
    cell: (row) => row.grants.toLocaleString('en'),
  },
  { id: 'status', header: 'Status', width: 118, cell: (row) => <Status value={row.status} /> },
  {
    id: 'created',
    header: 'Created',
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

export const clientFilters: readonly Filter<'clients'>[] = [
  {
    name: 'kind',
    label: 'Known by',
    options: [
      { value: 'preregistered', label: 'operator' },
      { value: 'cimd', label: 'metadata document' },
      { value: 'dcr', label: 'self-registered' },
    ],
  },
  { name: 'status', label: 'Status', options: optionsOf('active', 'suspended') },
  { name: 'host', label: 'Host' },
];
