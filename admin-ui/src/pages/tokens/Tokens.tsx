import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import type { Row } from '../../api/types.ts';
import { Status } from '../../parts/Chip.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { SecretOnce } from '../../parts/SecretOnce.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';
import { CreateToken } from './CreateToken.tsx';

type Token = Row<'tokens'>;

const columns: readonly Column<Token>[] = [
  { id: 'name', header: 'Name', cell: (row) => <Foreign text={row.name} /> },
  { id: 'person', header: 'Person', cell: (row) => <Foreign text={row.username} /> },
  { id: 'resource', header: 'Resource', cell: (row) => <Foreign text={row.resource} /> },
  { id: 'scope', header: 'Scopes', cell: (row) => <ScopeList scope={row.scope} most={2} /> },
  { id: 'status', header: 'Status', width: 100, cell: (row) => <Status value={row.status} /> },
  {
    id: 'created',
    header: 'Made',
    width: 138,
    hidden: true,
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
    width: 138,
    cell: (row) => <RelativeTime time={row.last_used_at} />,
  },
];

const filters: readonly Filter<'tokens'>[] = [
  { name: 'status', label: 'Status', options: optionsOf('active', 'expired', 'revoked') },
  { name: 'sub', label: 'Person' },
];

export default function Tokens() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [ending, setEnding] = useState<{ rows: Token[]; clear: () => void }>();
  const revoke = useAction('tokens', 'revoke', {
    done: 'The tokens have ended.',
    changes: ['issuances'],
  });
  const rows = (ending?.rows ?? []).filter(({ status }) => status === 'active');
  return (
    <>
      <PageHeader title="Personal access tokens">
        {may('tokens', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setMaking(true)}>
            Make token
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="tokens"
        label="Personal access tokens"
        columns={columns}
        filters={filters}
        href={(row) => `/issuances/${row.id}`}
        bulk={
          may('tokens', 'revoke')
            ? [{ label: 'Revoke', run: (chosen, clear) => setEnding({ rows: chosen, clear }) }]
            : []
        }
        empty={
          <>
            <h2>Nobody has made one yet</h2>
            <p className="muted">People make them on their account page, for scripts.</p>
          </>
        }
      />
      <CreateToken opened={making} onClose={() => setMaking(false)} onMade={setSecret} />
      <SecretOnce
        title="The personal access token"
        label="Token"
        secret={secret}
        onClose={() => setSecret(undefined)}
      />
      <ConfirmDestructive
        opened={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title="Revoke personal access tokens"
        action={`Revoke ${rows.length} token${rows.length === 1 ? '' : 's'}`}
        consequences={rows.map(
          ({ name, username }) =>
            `Ends “${shorten(plainText(name), 60)}” of ${shorten(plainText(username), 60)}, and what was exchanged from it.`,
        )}
        run={async () => {
          for (const { id } of rows) await revoke.mutateAsync({ params: { id } });
          ending?.clear();
        }}
      />
    </>
  );
}
