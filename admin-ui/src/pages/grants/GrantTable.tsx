import { type ReactNode, useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import type { ListQuery } from '../../api/types.ts';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Grant, grantColumns, grantFilters } from './columns.tsx';

const most = 200;

/** Grants with the one act for many of them; on pages of clients and people too. */
export function GrantTable({ fixed, tools }: { fixed?: ListQuery<'grants'>; tools?: ReactNode }) {
  const may = useMay();
  const [ending, setEnding] = useState<{ rows: Grant[]; clear: () => void }>();
  const revoke = useAction('grants', 'revokeMany', {
    done: 'The connections have ended.',
    changes: ['issuances', 'clients', 'stats'],
  });
  const rows = ending?.rows ?? [];
  return (
    <>
      <DataTable
        noun="grants"
        label="Grants"
        columns={grantColumns}
        filters={grantFilters}
        search="Person, client or id"
        href={(row) => `/grants/${row.id}`}
        bulk={
          may('grants', 'revokeMany')
            ? [{ label: 'Revoke', run: (chosen, clear) => setEnding({ rows: chosen, clear }) }]
            : []
        }
        empty={
          <>
            <h2>Nobody has connected a client yet</h2>
            <p className="muted">A grant appears when a person approves a client at a resource.</p>
          </>
        }
        {...(fixed && { fixed })}
        tools={tools}
      />
      <ConfirmDestructive
        opened={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={`Revoke ${count(rows.length)}`}
        action={`Revoke ${count(rows.length)}`}
        consequences={whatEnds(rows)}
        run={async () => {
          for (let at = 0; at < rows.length; at += most) {
            const ids = rows.slice(at, at + most).map(({ id }) => id);
            await revoke.mutateAsync({ body: { ids } });
          }
          ending?.clear();
        }}
      />
    </>
  );
}

const count = (grants: number) => `${grants} ${grants === 1 ? 'grant' : 'grants'}`;

/** `Ends 3 connections of alice@…: Claude Code, Cursor.` for each person; the first five of them. */
function whatEnds(rows: readonly Grant[]): string[] {
  const people = Map.groupBy(rows, ({ username, sub }) => username ?? sub);
  const sentences = [...people].slice(0, 5).map(([person, theirs]) => {
    const names = [...new Set(theirs.map((row) => row.client_name ?? row.client_id))];
    const shown = names.slice(0, 3).map((name) => shorten(plainText(name), 40));
    const connections = `${theirs.length} connection${theirs.length === 1 ? '' : 's'}`;
    return `Ends ${connections} of ${shorten(plainText(person), 60)}: ${shown.join(', ')}${names.length > 3 ? ' …' : ''}`;
  });
  if (people.size > 5) sentences.push(`and those of ${people.size - 5} more people`);
  return [...sentences, 'Every token under them ends now. Whoever connects again is asked again.'];
}
