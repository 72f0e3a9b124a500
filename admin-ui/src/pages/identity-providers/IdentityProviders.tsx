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
import { CreateProvider } from './ProviderDialogs.tsx';

const columns: readonly Column<Row<'identity-providers'>>[] = [
  { id: 'name', header: 'Provider', cell: (row) => <Foreign text={row.display_name} /> },
  { id: 'slug', header: 'Short name', sort: 'slug', cell: (row) => <Foreign text={row.slug} /> },
  { id: 'issuer', header: 'Issuer', cell: (row) => <Foreign text={row.issuer} limit={90} /> },
  {
    id: 'automatic',
    header: 'Unknown people',
    width: 150,
    cell: (row) => (row.automatic ? 'get an account' : 'are refused'),
  },
  ...switchableColumns,
];

const filters: readonly Filter<'identity-providers'>[] = [enabledFilter, sourceFilter];

export default function IdentityProviders() {
  const may = useMay();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHeader title="Identity providers">
        {may('identity-providers', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setAdding(true)}>
            Add provider
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="identity-providers"
        label="Identity providers"
        columns={columns}
        filters={filters}
        search="Name or host"
        href={(row) => `/identity-providers/${row.id}`}
        empty={
          <>
            <h2>People sign in with a password here</h2>
            <p className="muted">Add an OpenID provider, and they may sign in there instead.</p>
          </>
        }
      />
      <CreateProvider
        opened={adding}
        onClose={() => setAdding(false)}
        onMade={(id) => void navigate(`/identity-providers/${id}`)}
      />
    </>
  );
}
