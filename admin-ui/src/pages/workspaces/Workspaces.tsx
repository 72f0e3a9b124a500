import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import type { Row } from '../../api/types.ts';
import { Chip } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';

type Workspace = Row<'workspaces'>;

const columns: readonly Column<Workspace>[] = [
  { id: 'name', header: 'Workspace', cell: (row) => <Foreign text={row.name} /> },
  { id: 'slug', header: 'Short name', cell: (row) => <Foreign text={row.slug} /> },
  { id: 'id', header: 'Id', cell: (row) => <Foreign text={row.id} /> },
  { id: 'source', header: 'Made by', width: 120, cell: (row) => <Chip>{row.source}</Chip> },
  {
    id: 'created',
    header: 'Made',
    sort: 'created_at',
    width: 138,
    cell: (row) => <RelativeTime time={row.created_at} />,
  },
];

const filters: readonly Filter<'workspaces'>[] = [
  { name: 'source', label: 'Made by', options: optionsOf('config', 'admin', 'cli') },
];

export default function Workspaces() {
  const may = useMay();
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const create = useAction('workspaces', 'create', { done: 'The workspace is made.' });
  return (
    <>
      <PageHeader title="Workspaces">
        {may('workspaces', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setMaking(true)}>
            Make workspace
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="workspaces"
        label="Workspaces"
        columns={columns}
        filters={filters}
        search="Name or id"
        href={(row) => `/workspaces/${row.id}`}
        empty={
          <>
            <h2>There is no workspace yet</h2>
            <p className="muted">
              Make one and add its members; resources that are workspace-scoped ask for it at
              consent.
            </p>
          </>
        }
      />
      <FormDialog
        opened={making}
        onClose={() => setMaking(false)}
        title="Make workspace"
        action="Make workspace"
        initial={{ slug: '', name: '' }}
        submit={async ({ slug, name }) => {
          const body = { slug: slug.trim(), ...(name.trim() && { name: name.trim() }) };
          void navigate(`/workspaces/${(await create.mutateAsync({ body })).id}`);
        }}
      >
        {({ values, set }) => (
          <>
            <TextInput
              label="Name"
              data-autofocus
              value={values.name}
              onChange={(event) => set('name', event.currentTarget.value)}
            />
            <TextInput
              label="Short name"
              description="Lower-case letters, digits and hyphens; it never changes"
              required
              value={values.slug}
              onChange={(event) => set('slug', event.currentTarget.value)}
            />
          </>
        )}
      </FormDialog>
    </>
  );
}
