import { Link } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { ClientLink, PersonLink } from '../../parts/ClientName.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';

const head = ['Person', 'Client', 'Resource', 'Scopes', 'Granted'];

export function NewestGrants() {
  const { data } = useAnswer('grants', 'list', { query: { limit: 5 } });
  if (!data || data.items.length === 0) return null;
  return (
    <Card title="Newest grants" action={<Link to="/grants">All grants</Link>}>
      <SimpleTable stack label="Newest grants" head={head}>
        {data.items.map((row) => (
          <tr key={row.id}>
            <td>
              <PersonLink id={row.sub} email={row.username} />
            </td>
            <td data-label="Client">
              <ClientLink id={row.client_id} name={row.client_name} />
            </td>
            <td data-label="Resource">
              <Foreign text={row.resource} limit={40} />
            </td>
            <td data-label="Scopes">
              <ScopeList scope={row.scope} most={2} />
            </td>
            <td data-label="Granted">
              <RelativeTime time={row.created_at} />
            </td>
          </tr>
        ))}
      </SimpleTable>
    </Card>
  );
}
