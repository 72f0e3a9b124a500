import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { SecretOnce } from '../../parts/SecretOnce.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { CreateClient } from './CreateClient.tsx';
import { clientColumns, clientFilters } from './columns.tsx';

export default function Clients() {
  const may = useMay();
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<{ id: string; secret: string }>();
  const open = (id: string) => void navigate(`/clients/${encodeURIComponent(id)}`);
  const create = may('clients', 'create') && (
    <Button leftSection={<PlusIcon size={14} />} onClick={() => setCreating(true)}>
      Create client
    </Button>
  );
  return (
    <>
      <PageHeader title="Clients">{create}</PageHeader>
      <DataTable
        noun="clients"
        label="Clients"
        columns={clientColumns}
        filters={clientFilters}
        search="client_id, name or host"
        href={(row) => `/clients/${encodeURIComponent(row.id)}`}
        empty={
          <>
            <h2>No client yet</h2>
            <p className="muted">
              A client appears when it registers itself, when it comes with a metadata document, or
              when you create one.
            </p>
          </>
        }
      />
      <CreateClient
        opened={creating}
        onClose={() => setCreating(false)}
        onMade={(id, secret) => (secret ? setMade({ id, secret }) : open(id))}
      />
      <SecretOnce
        title="The client is made"
        label="Client secret"
        secret={made?.secret}
        onClose={() => {
          const id = made?.id;
          setMade(undefined);
          if (id) open(id);
        }}
      />
    </>
  );
}
