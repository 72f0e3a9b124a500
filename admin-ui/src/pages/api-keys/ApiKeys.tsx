import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import type { Row } from '../../api/types.ts';
import { Chip, Status } from '../../parts/Chip.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { SecretOnce } from '../../parts/SecretOnce.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';
import { CreateApiKey } from './CreateApiKey.tsx';

type ApiKey = Row<'api-keys'>;

const columns: readonly Column<ApiKey>[] = [
  { id: 'name', header: 'Name', cell: (row) => <Foreign text={row.name} /> },
  { id: 'prefix', header: 'Begins with', cell: (row) => <code>{row.prefix}…</code> },
  { id: 'role', header: 'Role', width: 110, cell: (row) => <Chip tone="accent">{row.role}</Chip> },
  { id: 'status', header: 'Status', width: 110, cell: (row) => <Status value={row.status} /> },
  {
    id: 'created',
    header: 'Made',
    sort: 'created_at',
    width: 138,
    cell: (row) => <RelativeTime time={row.created_at} />,
  },
  {
    id: 'expires',
    header: 'Expires',
    width: 138,
    cell: (row) => <RelativeTime time={row.expires_at} />,
  },
  {
    id: 'used',
    header: 'Last used',
    cell: (row) => (
      <>
        <RelativeTime time={row.last_used_at} />
        {row.last_used_from && <span className="dim"> from {row.last_used_from}</span>}
      </>
    ),
  },
];

const filters: readonly Filter<'api-keys'>[] = [
  { name: 'role', label: 'Role', options: optionsOf('viewer', 'operator', 'owner') },
  { name: 'status', label: 'Status', options: optionsOf('active', 'expired', 'revoked') },
];

export default function ApiKeys() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [ending, setEnding] = useState<{ rows: ApiKey[]; clear: () => void }>();
  const revoke = useAction('api-keys', 'revoke', { done: 'The keys have ended.' });
  const rows = (ending?.rows ?? []).filter(({ status }) => status === 'active');
  const action = `Revoke ${rows.length} key${rows.length === 1 ? '' : 's'}`;
  return (
    <>
      <PageHeader title="API keys">
        {may('api-keys', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setMaking(true)}>
            Make API key
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="api-keys"
        label="API keys"
        columns={columns}
        filters={filters}
        search="Name, id or beginning"
        bulk={
          may('api-keys', 'revoke')
            ? [{ label: 'Revoke', run: (chosen, clear) => setEnding({ rows: chosen, clear }) }]
            : []
        }
        empty={
          <>
            <h2>No program has a key yet</h2>
            <p className="muted">A key lets a program call the admin API with a role.</p>
          </>
        }
      />
      <CreateApiKey opened={making} onClose={() => setMaking(false)} onMade={setSecret} />
      <SecretOnce
        title="The API key"
        label="API key"
        secret={secret}
        onClose={() => setSecret(undefined)}
      />
      <ConfirmDestructive
        opened={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title="Revoke API keys"
        action={action}
        consequences={rows.map(
          ({ name, role }) => `Ends “${shorten(plainText(name), 60)}” (${role}) at once.`,
        )}
        run={async () => {
          for (const { id } of rows) await revoke.mutateAsync({ params: { id } });
          ending?.clear();
        }}
      />
    </>
  );
}
