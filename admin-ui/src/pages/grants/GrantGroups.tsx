import { Link } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';

export type Grouping = 'client' | 'user' | 'resource';
type Group = Answer<'grants', 'summary'>['items'][number];

export const isGrouping = (value: string | null): value is Grouping =>
  value === 'client' || value === 'user' || value === 'resource';

const filters: Record<Grouping, string> = {
  client: 'client_id',
  user: 'sub',
  resource: 'resource',
};
const titles: Record<Grouping, string> = { client: 'Client', user: 'Person', resource: 'Resource' };
const most = 200;

/** How many connections each client, person or resource has; each leads to its grants. */
export function GrantGroups({ by }: { by: Grouping }) {
  const query = useAnswer('grants', 'summary', { query: { by, limit: most } }, { keep: true });
  return <Loaded query={query}>{({ items }) => <Groups by={by} items={items} />}</Loaded>;
}

function Groups({ by, items }: { by: Grouping; items: readonly Group[] }) {
  return (
    <Card>
      {items.length === 0 ? (
        <p className="muted">Nobody has connected a client yet.</p>
      ) : (
        <SimpleTable
          label={`Grants by ${titles[by].toLowerCase()}`}
          head={[titles[by], 'Grants', 'Newest']}
        >
          {items.map(({ id, name, grants, latest_at }) => (
            <tr key={id}>
              <td>
                <Link to={`/grants?${new URLSearchParams({ [filters[by]]: id })}`}>
                  <Foreign text={name ?? id} />
                </Link>
              </td>
              <td>{grants.toLocaleString('en')}</td>
              <td>
                <RelativeTime time={latest_at} />
              </td>
            </tr>
          ))}
        </SimpleTable>
      )}
      {items.length === most && <p className="dim">The first {most} are shown.</p>}
    </Card>
  );
}
