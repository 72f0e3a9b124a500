import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../../api/context.tsx';
import type { Row } from '../../api/types.ts';
import { Chip, Status } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { PlusIcon } from '../../parts/icons.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { DataTable } from '../../parts/table/DataTable.tsx';
import { type Column, type Filter, optionsOf } from '../../parts/table/types.ts';
import { CreateUser } from './CreateUser.tsx';
import { LinkOnce, type OneTimeLink } from './LinkOnce.tsx';

type User = Row<'users'>;

const columns: readonly Column<User>[] = [
  { id: 'email', header: 'E-mail', sort: 'email', cell: (row) => <Foreign text={row.email} /> },
  { id: 'name', header: 'Name', cell: (row) => <Foreign text={row.name} /> },
  {
    id: 'role',
    header: 'Role',
    width: 110,
    cell: (row) =>
      row.role ? <Chip tone="accent">{row.role}</Chip> : <span className="dim">—</span>,
  },
  {
    id: 'groups',
    header: 'Groups',
    cell: (row) => <Foreign text={row.groups.join(', ')} fallback="none" />,
  },
  { id: 'status', header: 'Status', width: 110, cell: (row) => <Status value={row.status} /> },
  { id: 'source', header: 'Made by', hidden: true, width: 110, cell: (row) => row.source },
  {
    id: 'created',
    header: 'Added',
    sort: 'created_at',
    width: 138,
    cell: (row) => <RelativeTime time={row.created_at} />,
  },
  {
    id: 'login',
    header: 'Last sign-in',
    width: 138,
    cell: (row) => <RelativeTime time={row.last_login_at} />,
  },
];

const filters: readonly Filter<'users'>[] = [
  { name: 'role', label: 'Role', options: optionsOf('owner', 'operator', 'viewer', 'none') },
  { name: 'status', label: 'Status', options: optionsOf('active', 'disabled') },
  { name: 'group', label: 'Group' },
];

export default function Users() {
  const may = useMay();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<{ id: string; link: OneTimeLink }>();
  const open = (id: string) => void navigate(`/users/${id}`);
  return (
    <>
      <PageHeader title="People">
        {may('users', 'create') && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setAdding(true)}>
            Add person
          </Button>
        )}
      </PageHeader>
      <DataTable
        noun="users"
        label="People"
        columns={columns}
        filters={filters}
        search="E-mail, name or id"
        href={(row) => `/users/${row.id}`}
        empty={
          <>
            <h2>Nobody has an account yet</h2>
            <p className="muted">Add a person and hand them the invitation link.</p>
          </>
        }
      />
      <CreateUser
        opened={adding}
        onClose={() => setAdding(false)}
        onMade={(id, link) => (link ? setMade({ id, link }) : open(id))}
      />
      <LinkOnce
        title="The invitation"
        link={made?.link}
        onClose={() => {
          const id = made?.id;
          setMade(undefined);
          if (id) open(id);
        }}
      />
    </>
  );
}
