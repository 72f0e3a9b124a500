import { Link } from 'react-router';
import { Foreign } from './Foreign.tsx';

/** A client that links to its page; by its id when it has no name. */
export function ClientLink({ id, name }: { id: string | null; name?: string | null }) {
  if (!id) return <span className="dim">—</span>;
  return (
    <Link to={`/clients/${encodeURIComponent(id)}`}>
      <Foreign text={name || id} limit={44} />
    </Link>
  );
}

/** A person that links to their page. */
export function PersonLink({ id, email }: { id: string | null; email?: string | null }) {
  if (!id) return <span className="dim">—</span>;
  if (email === null && !id.startsWith('usr_')) return <Foreign text={id} limit={36} />;
  return (
    <Link to={`/users/${encodeURIComponent(id)}`}>
      <Foreign text={email || id} limit={44} />
    </Link>
  );
}
