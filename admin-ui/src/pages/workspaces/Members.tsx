import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { PersonLink } from '../../parts/ClientName.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';

type Member = Answer<'workspaces', 'members'>['items'][number];
type Role = Member['role'];

const roles = [
  { value: 'member', label: 'member' },
  { value: 'admin', label: 'admin' },
];
const roleOf = (value: string): Role => (value === 'admin' ? 'admin' : 'member');

/** Who is in a workspace; the search is the server's, so that large ones stay usable. */
export function Members({ workspace }: { workspace: { id: string; name: string } }) {
  const may = useMay();
  const [q, setQ] = useState('');
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Member>();
  const wanted = q.trim();
  const query = useAnswer(
    'workspaces',
    'members',
    { params: { id: workspace.id }, query: { limit: 200, ...(wanted && { q: wanted }) } },
    { keep: true },
  );
  return (
    <Card
      title="Members"
      action={
        may('workspaces', 'addMember') && (
          <Button size="xs" onClick={() => setAdding(true)}>
            Add member
          </Button>
        )
      }
    >
      <TextInput
        aria-label="Find a member"
        placeholder="Beginning of e-mail, name or id"
        maw={320}
        mb="sm"
        value={q}
        onChange={(event) => setQ(event.currentTarget.value)}
      />
      <Loaded query={query}>
        {({ items, next_cursor }) => (
          <>
            {items.length > 0 && (
              <SimpleTable stack label="Members" head={['Person', 'Name', 'Role', 'Since', '']}>
                {items.map((member) => (
                  <MemberRow key={member.id} member={member} leave={() => setLeaving(member)} />
                ))}
              </SimpleTable>
            )}
            {items.length === 0 && (
              <p className="muted">
                {wanted ? 'No member begins like this.' : 'Nobody is a member yet.'}
              </p>
            )}
            {next_cursor && <p className="dim">The first 200 are shown; search for the others.</p>}
          </>
        )}
      </Loaded>
      <AddDialog workspaceId={workspace.id} opened={adding} onClose={() => setAdding(false)} />
      <LeaveDialog member={leaving} name={workspace.name} onClose={() => setLeaving(undefined)} />
    </Card>
  );
}

function MemberRow({ member, leave }: { member: Member; leave: () => void }) {
  const may = useMay();
  const change = useAction('workspaces', 'changeMember', {
    done: 'The role is changed.',
    loud: true,
  });
  const params = { id: member.workspace_id, user_id: member.id };
  return (
    <tr>
      <td>
        <PersonLink id={member.id} email={member.email} />
      </td>
      <td>
        <Foreign text={member.name} />
      </td>
      <td>
        {may('workspaces', 'changeMember') ? (
          <NativeSelect
            size="xs"
            miw={110}
            aria-label={`Role of ${plainText(member.email)}`}
            data={roles}
            value={member.role}
            onChange={(event) =>
              change.mutate({ params, body: { role: roleOf(event.currentTarget.value) } })
            }
          />
        ) : (
          member.role
        )}
      </td>
      <td data-label="Since">
        <RelativeTime time={member.created_at} />
      </td>
      <td className="num">
        {may('workspaces', 'removeMember') && (
          <Button
            size="xs"
            variant="default"
            aria-label={`Remove ${plainText(member.email)}`}
            onClick={leave}
          >
            Remove
          </Button>
        )}
      </td>
    </tr>
  );
}

function AddDialog({
  workspaceId,
  ...dialog
}: {
  workspaceId: string;
  opened: boolean;
  onClose: () => void;
}) {
  const add = useAction('workspaces', 'addMember', { done: 'They are a member now.' });
  return (
    <FormDialog
      {...dialog}
      title="Add member"
      action="Add member"
      initial={{ email: '', role: 'member' }}
      submit={({ email, role }) =>
        add.mutateAsync({
          params: { id: workspaceId },
          body: { email: email.trim(), role: roleOf(role) },
        })
      }
    >
      {({ values, set }) => (
        <>
          <TextInput
            label="E-mail address"
            description="Of a person who has an account"
            required
            data-autofocus
            value={values.email}
            onChange={(event) => set('email', event.currentTarget.value)}
          />
          <NativeSelect
            label="Role"
            data={roles}
            value={values.role}
            onChange={(event) => set('role', event.currentTarget.value)}
          />
        </>
      )}
    </FormDialog>
  );
}

function LeaveDialog({
  member,
  name,
  onClose,
}: {
  member: Member | undefined;
  name: string;
  onClose: () => void;
}) {
  const remove = useAction('workspaces', 'removeMember', {
    done: 'They are no member any more.',
    changes: ['grants', 'issuances', 'tokens'],
  });
  const person = shorten(plainText(member?.email ?? ''), 60);
  return (
    <ConfirmDestructive
      opened={member !== undefined}
      onClose={onClose}
      title="Remove member"
      action="Remove"
      consequences={[
        `Ends every connection and token of ${person} for “${shorten(plainText(name), 60)}”.`,
      ]}
      run={async () => {
        if (!member) return;
        await remove.mutateAsync({ params: { id: member.workspace_id, user_id: member.id } });
      }}
    />
  );
}
