import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useMay } from '../api/context.tsx';
import { useAnswer } from '../api/query.ts';
import { Foreign } from './Foreign.tsx';

/** A client that links to its page; by its id when it has no name. */
export function ClientLink({ id, name }: { id: string | null; name?: string | null }) {
  if (!id) return <span className="dim">—</span>;
  return (
    <LinkIf noun="clients" id={id}>
      <Foreign text={name || id} limit={44} />
    </LinkIf>
  );
}

/** A person that links to their page. */
export function PersonLink({ id, email }: { id: string | null; email?: string | null }) {
  if (!id) return <span className="dim">—</span>;
  if (email === null && !id.startsWith('usr_')) return <Foreign text={id} limit={36} />;
  return (
    <LinkIf noun="users" id={id}>
      <Foreign text={email || id} limit={44} />
    </LinkIf>
  );
}

/** A person of whom only the id is known here: their e-mail address is asked for, where one may. */
export function PersonById({ id }: { id: string }) {
  const enabled = useMay()('users', 'get');
  const { data } = useAnswer('users', 'get', { params: { id } }, { enabled });
  return <PersonLink id={id} email={data?.email ?? id} />;
}

/** A workspace by its name, which is asked for. */
export function WorkspaceLink({ id }: { id: string }) {
  const { data } = useAnswer('workspaces', 'get', { params: { id } });
  return (
    <LinkIf noun="workspaces" id={id}>
      <Foreign text={data?.name ?? id} limit={44} />
    </LinkIf>
  );
}

/** Leads to the page of something, for whom that page is. */
function LinkIf({
  noun,
  id,
  children,
}: {
  noun: 'clients' | 'users' | 'workspaces';
  id: string;
  children: ReactNode;
}) {
  const may = useMay();
  if (!may(noun, 'get')) return children;
  return <Link to={`/${noun}/${encodeURIComponent(id)}`}>{children}</Link>;
}
