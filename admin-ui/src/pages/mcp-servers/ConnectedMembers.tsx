import { useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { PersonLink } from '../../parts/ClientName.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';

/** Who of the workspace has connected to the server; never with what. */
export function ConnectedMembers({ serverId }: { serverId: string }) {
  const query = useAnswer('mcp-servers', 'members', { params: { id: serverId } });
  return (
    <Card title="Connected members">
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="muted">Nobody has connected yet.</p>
          ) : (
            <SimpleTable
              stack
              label="Connected members"
              head={['Person', 'Status', 'Scopes there', 'Connected', 'Last used']}
            >
              {items.map((member) => (
                <tr key={member.id}>
                  <td>
                    <PersonLink id={member.id} email={member.email} />
                  </td>
                  <td data-label="Status">
                    <Status value={member.status} />
                  </td>
                  <td data-label="Scopes there">
                    <ScopeList scope={member.scopes.join(' ')} most={3} />
                  </td>
                  <td data-label="Connected">
                    <RelativeTime time={member.connected_at} />
                  </td>
                  <td data-label="Last used">
                    <RelativeTime time={member.last_used_at} />
                  </td>
                </tr>
              ))}
            </SimpleTable>
          )
        }
      </Loaded>
    </Card>
  );
}
