import type { ListQuery, Row } from '../../api/types.ts';
import { Chip, Status } from '../../parts/Chip.tsx';
import { ShortId } from '../../parts/CopyableId.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';

export type Issuance = Row<'issuances'>;

const grantNames: Readonly<Record<string, string>> = {
  'urn:ietf:params:oauth:grant-type:token-exchange': 'token exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer': 'identity assertion',
  'urn:ietf:params:oauth:grant-type:device_code': 'device',
  workspace_credential: 'workspace',
  default_workspace_credential: 'workspace, default',
};

/** A grant type as people call it. */
export const grantName = (type: string) => grantNames[type] ?? type.replaceAll('_', ' ');

const kindNames: Readonly<Record<string, string>> = {
  personal_access_token: 'personal',
  workspace_credential: 'workspace',
};

const columns: readonly Column<Issuance>[] = [
  { id: 'jti', header: 'Token', width: 165, cell: (row) => <ShortId value={row.jti} limit={18} /> },
  { id: 'sub', header: 'For', cell: (row) => <Foreign text={row.username ?? row.sub} /> },
  {
    id: 'client',
    header: 'Client',
    cell: (row) => <Foreign text={row.client_id} fallback="personal" />,
  },
  { id: 'resource', header: 'Resource', cell: (row) => <Foreign text={row.resource} /> },
  {
    id: 'scope',
    header: 'Scopes',
    hidden: true,
    cell: (row) => <ScopeList scope={row.scope} most={2} />,
  },
  {
    id: 'kind',
    header: 'Kind',
    width: 120,
    cell: (row) => kindNames[row.kind] ?? row.kind.replaceAll('_', ' '),
  },
  { id: 'grant', header: 'Bought by', hidden: true, cell: (row) => grantName(row.grant_type) },
  {
    id: 'type',
    header: 'Type',
    width: 90,
    hidden: true,
    cell: (row) => <Chip>{row.token_type}</Chip>,
  },
  { id: 'status', header: 'Status', width: 100, cell: (row) => <Status value={row.status} /> },
  {
    id: 'issued',
    header: 'Issued',
    sort: 'issued_at',
    width: 138,
    cell: (row) => <RelativeTime time={row.issued_at} />,
  },
  {
    id: 'expires',
    header: 'Expires',
    width: 138,
    cell: (row) => <RelativeTime time={row.expires_at} />,
  },
];

const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  ...Object.keys(grantNames),
];

const filters: readonly Filter<'issuances'>[] = [
  { name: 'status', label: 'Status', options: optionsOf('active', 'used', 'expired', 'revoked') },
  {
    name: 'kind',
    label: 'Kind',
    options: optionsOf(
      'access_token',
      'refresh_token',
      'personal_access_token',
      'workspace_credential',
    ),
  },
  {
    name: 'grant_type',
    label: 'Bought by',
    options: grantTypes.map((value) => ({ value, label: grantName(value) })),
  },
  { name: 'sub', label: 'For' },
  { name: 'client_id', label: 'Client' },
  { name: 'resource', label: 'Resource' },
  { name: 'parent', label: 'Came from' },
];

/** What was issued; on pages of clients, people and grants too. */
export function IssuanceTable({ fixed }: { fixed?: ListQuery<'issuances'> }) {
  return (
    <DataTable
      noun="issuances"
      label="Issuances"
      columns={columns}
      filters={filters}
      search="Token id, person or client"
      href={(row) => `/issuances/${row.id}`}
      empty={
        <>
          <h2>Nothing was issued yet</h2>
          <p className="muted">A row appears with every token that a client gets.</p>
        </>
      }
      {...(fixed && { fixed })}
    />
  );
}
