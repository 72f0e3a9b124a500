import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../../api/context.tsx';
import type { Row } from '../../api/types.ts';
import { Foreign } from '../../parts/Foreign.tsx';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { enabledFilter, sourceFilter, switchableColumns } from '../../parts/Switchable.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import type { Column, Filter } from '../../parts/table/types.ts';
import { CreateResource } from './ResourceDialogs.tsx';

type Resource = Row<'resources'>;

const columns: readonly Column<Resource>[] = [
  {
    id: 'name',
    header: 'Resource',
    sort: 'slug',
    cell: (row) => <Foreign text={row.display_name} />,
  },
  { id: 'uri', header: 'Address', cell: (row) => <Foreign text={row.uri} limit={90} /> },
  {
    id: 'scopes',
    header: 'Scopes',
    cell: (row) => <ScopeList scope={row.scopes.map(({ name }) => name).join(' ')} most={2} />,
  },
  { id: 'format', header: 'Tokens', width: 90, cell: (row) => row.token_format },
  ...switchableColumns,
  {
    id: 'aliases',
    header: 'Aliases',
    hidden: true,
    cell: (row) => <Foreign text={row.aliases.join(', ')} fallback="none" />,
  },
];

const builtIn = { value: 'builtin', label: 'this server' };

const filters: readonly Filter<'resources'>[] = [
  enabledFilter,
  { ...sourceFilter, options: [...sourceFilter.options, builtIn] },
  { name: 'client_id', label: 'Server' },
];

export default function Resources() {
  const may = useMay();
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHeader title="Resources">
        {may('resources', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setCreating(true)}>
            Register MCP server
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="resources"
        label="Resources"
        columns={columns}
        filters={filters}
        search="Name, address or host"
        href={(row) => `/resources/${encodeURIComponent(row.id)}`}
        empty={
          <>
            <h2>No MCP server is protected yet</h2>
            <p className="muted">Register one: its address is what clients ask for.</p>
          </>
        }
      />
      <CreateResource
        opened={creating}
        onClose={() => setCreating(false)}
        onMade={(id) => void navigate(`/resources/${encodeURIComponent(id)}`)}
      />
    </>
  );
}
