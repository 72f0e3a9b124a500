import { useMemo } from 'react';
import { Link, useParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip, Status } from '../../parts/Chip.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Columns, SimpleTable } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { PageTabs } from '../../parts/PageTabs.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { AuditTable } from '../audit/AuditTable.tsx';
import { GrantTable } from '../grants/GrantTable.tsx';
import { IssuanceTable } from '../issuances/IssuanceTable.tsx';
import { UserActions } from './UserActions.tsx';
import type { UserDetail } from './user-form.ts';

export default function UserPage() {
  const { id = '' } = useParams();
  const query = useAnswer('users', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(user) => <Detail user={user} />}
    </Loaded>
  );
}

function Detail({ user }: { user: UserDetail }) {
  const ofUser = useMemo(() => ({ sub: user.id }), [user.id]);
  const about = useMemo(() => ({ user_id: user.id }), [user.id]);
  return (
    <>
      <PageHeader
        title={shorten(plainText(user.email), 60)}
        back={{ to: '/users', label: 'People' }}
        chips={
          <>
            <Status value={user.status} />
            {user.role && <Chip tone="accent">{user.role}</Chip>}
            {user.locked_until && <Chip tone="warn">locked</Chip>}
          </>
        }
      >
        <UserActions user={user} />
      </PageHeader>
      <PageTabs
        label="Parts of this account"
        tabs={[
          { id: 'about', label: 'About', content: () => <About user={user} /> },
          { id: 'grants', label: 'Connected apps', content: () => <GrantTable fixed={ofUser} /> },
          { id: 'issuances', label: 'Issuances', content: () => <IssuanceTable fixed={ofUser} /> },
          { id: 'audit', label: 'Audit log', content: () => <AuditTable fixed={about} /> },
        ]}
      />
    </>
  );
}

function About({ user }: { user: UserDetail }) {
  return (
    <Columns>
      <Card title="Account">
        <Fields
          items={[
            ['Name', <Foreign key="n" text={user.name} limit={200} />],
            ['E-mail', <Foreign key="e" text={user.email} limit={200} />],
            ['Id (sub)', <CopyableId key="i" value={user.id} limit={48} />],
            [
              'Groups',
              <Foreign key="g" text={user.groups.join(', ')} limit={300} fallback="none" />,
            ],
            ['Made by', user.source],
            ['Password', user.has_password ? 'set' : 'none yet, or signs in elsewhere'],
            ['Locked', user.locked_until && <RelativeTime time={user.locked_until} />],
            ['Signed in now', `in ${user.sessions} browser${user.sessions === 1 ? '' : 's'}`],
            ['Added', <RelativeTime key="c" time={user.created_at} />],
            ['Last sign-in', <RelativeTime key="l" time={user.last_login_at} />],
          ]}
        />
      </Card>
      <Card title="Workspaces">
        {user.workspaces.length === 0 ? (
          <p className="muted">In none.</p>
        ) : (
          <SimpleTable label="Workspaces" head={['Workspace', 'Role']}>
            {user.workspaces.map(({ id, name, role }) => (
              <tr key={id}>
                <td>
                  <Link to={`/workspaces/${id}`}>
                    <Foreign text={name} />
                  </Link>
                </td>
                <td>{role}</td>
              </tr>
            ))}
          </SimpleTable>
        )}
      </Card>
      <Card title="Signs in elsewhere">
        {user.identities.length === 0 ? (
          <p className="muted">No identity provider is linked.</p>
        ) : (
          <SimpleTable label="Linked identities" head={['Issuer', 'Subject', 'Last used']}>
            {user.identities.map(({ issuer, subject, last_used_at }) => (
              <tr key={`${issuer} ${subject}`}>
                <td>
                  <Foreign text={issuer} />
                </td>
                <td>
                  <Foreign text={subject} limit={30} />
                </td>
                <td>
                  <RelativeTime time={last_used_at} />
                </td>
              </tr>
            ))}
          </SimpleTable>
        )}
      </Card>
    </Columns>
  );
}
