import type { Row } from '../../api/types.ts';
import { Chip } from '../../parts/Chip.tsx';
import { WorkspaceLink } from '../../parts/ClientName.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import type { Column, Filter } from '../../parts/table/types.ts';
import { authTypes, choices, ServerState, states } from './words.tsx';

const columns: readonly Column<Row<'mcp-servers'>>[] = [
  { id: 'name', header: 'Server', cell: (row) => <Foreign text={row.name} /> },
  { id: 'url', header: 'URL', cell: (row) => <Foreign text={row.url} /> },
  { id: 'workspace', header: 'Workspace', cell: (row) => <WorkspaceLink id={row.workspace_id} /> },
  {
    id: 'auth',
    header: 'Signs in with',
    width: 130,
    cell: (row) => <Chip>{authTypes[row.auth_type]}</Chip>,
  },
  { id: 'state', header: 'State', width: 150, cell: (row) => <ServerState server={row} /> },
  {
    id: 'created',
    header: 'Added',
    sort: 'created_at',
    width: 138,
    cell: (row) => <RelativeTime time={row.created_at} />,
  },
];

const filters: readonly Filter<'mcp-servers'>[] = [
  { name: 'state', label: 'State', options: choices(states) },
  {
    name: 'auth_type',
    label: 'Signs in with',
    options: choices(authTypes),
  },
  {
    name: 'enabled',
    label: 'Enabled',
    options: [
      { value: 'true', label: 'enabled' },
      { value: 'false', label: 'disabled' },
    ],
  },
  { name: 'workspace_id', label: 'Workspace' },
];

/** The MCP servers of others that workspaces use. */
export default function McpServers() {
  return (
    <>
      <PageHeader title="MCP servers" />
      <DataTable
        noun="mcp-servers"
        label="MCP servers"
        columns={columns}
        filters={filters}
        search="Name, URL or id"
        href={(row) => `/mcp-servers/${row.id}`}
        empty={
          <>
            <h2>No workspace uses another MCP server yet</h2>
            <p className="muted">
              Members add one on the page of their workspace or through its API; it then appears
              here with who has connected to it.
            </p>
          </>
        }
      />
    </>
  );
}
