import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../../api/context.tsx';
import type { Row } from '../../api/types.ts';
import { Foreign } from '../../parts/Foreign.tsx';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { enabledFilter, sourceFilter, switchableColumns } from '../../parts/Switchable.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import type { Column, Filter } from '../../parts/table/types.ts';
import { CreateIssuer } from './IssuerDialogs.tsx';

/** A ceiling: null means that there is none. */
const limits = (list: readonly string[] | null) =>
  list === null ? 'any' : <Foreign text={list.join(', ')} fallback="none" />;

const columns: readonly Column<Row<'trusted-issuers'>>[] = [
  {
    id: 'issuer',
    header: 'Issuer',
    sort: 'issuer',
    cell: (row) => <Foreign text={row.issuer} limit={90} />,
  },
  { id: 'clients', header: 'Clients', cell: (row) => limits(row.clients) },
  { id: 'resources', header: 'Resources', cell: (row) => limits(row.resources) },
  { id: 'scopes', header: 'Scopes', cell: (row) => limits(row.scopes) },
  {
    id: 'subject',
    header: 'Unknown people',
    width: 150,
    cell: (row) => (row.subject === 'automatic' ? 'get an account' : 'are refused'),
  },
  ...switchableColumns,
];

const filters: readonly Filter<'trusted-issuers'>[] = [enabledFilter, sourceFilter];

export default function TrustedIssuers() {
  const may = useMay();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHeader title="Trusted issuers">
        {may('trusted-issuers', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setAdding(true)}>
            Trust an issuer
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="trusted-issuers"
        label="Trusted issuers"
        columns={columns}
        filters={filters}
        search="Issuer or host"
        href={(row) => `/trusted-issuers/${row.id}`}
        empty={
          <>
            <h2>No issuer is trusted yet</h2>
            <p className="muted">
              A trusted issuer vouches for people: clients exchange its identity assertions for
              tokens.
            </p>
          </>
        }
      />
      <CreateIssuer
        opened={adding}
        onClose={() => setAdding(false)}
        onMade={(id) => void navigate(`/trusted-issuers/${encodeURIComponent(id)}`)}
      />
    </>
  );
}
