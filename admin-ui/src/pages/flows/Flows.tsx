import type { Row } from '../../api/types.ts';
import { Status } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';
import { SmallFunnel } from './Funnel.tsx';
import styles from './flows.module.css';

type Flow = Row<'flows'>;

/** Two lines of it: that is what one looks for in this list. */
function Wrong({ text }: { text: string | null }) {
  if (!text) return <span className="dim">—</span>;
  const clean = plainText(text);
  return (
    <span className={styles.wrong} dir="auto" title={clean.slice(0, 1000)}>
      {shorten(clean, 200)}
    </span>
  );
}

const columns: readonly Column<Flow>[] = [
  {
    id: 'client',
    header: 'Client',
    width: 150,
    cell: (row) => <Foreign text={row.client_name ?? row.client_id} fallback="unknown client" />,
  },
  {
    id: 'resource',
    header: 'Resource',
    width: 150,
    cell: (row) => <Foreign text={row.resource_name ?? row.resource} />,
  },
  { id: 'person', header: 'Person', hidden: true, cell: (row) => <Foreign text={row.username} /> },
  { id: 'funnel', header: 'Steps', width: 126, cell: (row) => <SmallFunnel steps={row.funnel} /> },
  { id: 'status', header: 'Status', width: 108, cell: (row) => <Status value={row.status} /> },
  {
    id: 'error',
    header: 'What was wrong',
    cell: (row) => <Wrong text={row.sentence ?? row.error} />,
  },
  {
    id: 'attempts',
    header: 'Times',
    width: 64,
    align: 'end',
    cell: (row) => row.attempts.toLocaleString('en'),
  },
  {
    id: 'trace',
    header: 'Trace',
    width: 130,
    hidden: true,
    cell: (row) => <code>{row.trace_id}</code>,
  },
  {
    id: 'created',
    header: 'Begun',
    sort: 'created_at',
    width: 126,
    cell: (row) => <RelativeTime time={row.created_at} />,
  },
];

const filters: readonly Filter<'flows'>[] = [
  {
    name: 'status',
    label: 'Status',
    options: optionsOf('failed', 'open', 'succeeded', 'abandoned'),
  },
  {
    name: 'failed_step',
    label: 'Failed at',
    options: optionsOf('client', 'authorize', 'sign_in', 'consent', 'token', 'first_call'),
  },
  { name: 'error', label: 'Error' },
  { name: 'client_id', label: 'Client' },
  { name: 'sub', label: 'Person' },
  { name: 'resource', label: 'Resource' },
  { name: 'trace_id', label: 'Trace' },
];

/** Every attempt to connect, as far as it came. */
export default function Flows() {
  return (
    <>
      <PageHeader title="Flows" />
      <DataTable
        noun="flows"
        label="Flows"
        columns={columns}
        filters={filters}
        search="Client, trace or redirect host"
        href={(row) => `/flows/${row.id}`}
        empty={
          <>
            <h2>Nobody has tried to connect yet</h2>
            <p className="muted">
              Every attempt of a client is one row here, from reading our metadata to its token. An
              error page shows the same trace.
            </p>
          </>
        }
      />
    </>
  );
}
