import { type ReactNode, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { auditTypes } from '../../../../src/admin/contract/audit-types.ts';
import type { ListQuery, Row } from '../../api/types.ts';
import { Foreign } from '../../parts/Foreign.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';
import { EventDrawer } from './EventDrawer.tsx';
import { eventName } from './event-name.ts';

export type AuditEvent = Row<'audit'>;

const columns: readonly Column<AuditEvent>[] = [
  { id: 'type', header: 'Event', cell: (row) => eventName(row.type) },
  {
    id: 'actor',
    header: 'By',
    cell: (row) => <Foreign text={`${row.actor_kind}${row.actor_id ? ` ${row.actor_id}` : ''}`} />,
  },
  { id: 'person', header: 'Person', cell: (row) => <Foreign text={row.username ?? row.user_id} /> },
  { id: 'client', header: 'Client', cell: (row) => <Foreign text={row.client_id} /> },
  { id: 'resource', header: 'Resource', cell: (row) => <Foreign text={row.resource} /> },
  { id: 'ip', header: 'Address', width: 140, cell: (row) => <Foreign text={row.ip} /> },
  {
    id: 'trace',
    header: 'Trace',
    width: 130,
    hidden: true,
    cell: (row) => <code>{row.trace_id}</code>,
  },
  {
    id: 'at',
    header: 'When',
    sort: 'at',
    width: 140,
    cell: (row) => <RelativeTime time={row.at} />,
  },
];

export const auditFilters: readonly Filter<'audit'>[] = [
  {
    name: 'type',
    label: 'Event',
    options: Object.entries(auditTypes).map(([group, types]) => ({
      group,
      items: types.map((value) => ({ value, label: eventName(value) })),
    })),
  },
  {
    name: 'actor_kind',
    label: 'By',
    options: optionsOf('user', 'client', 'admin', 'system', 'cli'),
  },
  { name: 'actor_id', label: 'By' },
  { name: 'client_id', label: 'Client' },
  { name: 'user_id', label: 'Person' },
  { name: 'resource', label: 'Resource' },
  { name: 'trace_id', label: 'Trace' },
  { name: 'ip', label: 'Address' },
  { name: 'from', label: 'From' },
  { name: 'to', label: 'Until' },
];

/** What happened; an event opens beside the list, and its address can be sent to somebody. */
export function AuditTable({
  fixed,
  tools,
  refetchInterval,
}: {
  fixed?: ListQuery<'audit'>;
  tools?: ReactNode;
  refetchInterval?: number | false;
}) {
  const [params] = useSearchParams();
  const href = useMemo(() => {
    return ({ id }: AuditEvent) => {
      const next = new URLSearchParams(params);
      next.set('event', id);
      return `?${next}`;
    };
  }, [params]);
  return (
    <>
      <DataTable
        noun="audit"
        label="Audit log"
        columns={columns}
        filters={auditFilters}
        search="Trace, client, person"
        href={href}
        tools={tools}
        {...(fixed && { fixed })}
        {...(refetchInterval !== undefined && { refetchInterval })}
        empty={
          <>
            <h2>Nothing has happened yet</h2>
            <p className="muted">Every sign-in, consent, token and change is written here.</p>
          </>
        }
      />
      <EventDrawer />
    </>
  );
}
