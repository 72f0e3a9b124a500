import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { plainText } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { SecretOnce } from '../../parts/SecretOnce.tsx';

/** Who was asked into a workspace and has not come yet. */
export function Invitations({ workspaceId }: { workspaceId: string }) {
  const may = useMay();
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<string>();
  const params = { id: workspaceId };
  const query = useAnswer('workspaces', 'invitations', { params, query: { limit: 200 } });
  return (
    <Card
      title="Invitations"
      hint={
        may('workspaces', 'invite')
          ? 'Each is a link, good for seven days, that you hand over yourself.'
          : 'Admins of the workspace invite on its page in their account.'
      }
      action={
        may('workspaces', 'invite') && (
          <Button size="xs" variant="default" onClick={() => setInviting(true)}>
            Invite
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="muted">No invitation is open.</p>
          ) : (
            <SimpleTable stack label="Invitations" head={['For', 'Role', 'By', 'Ends', '']}>
              {items.map((invitation) => (
                <tr key={invitation.id}>
                  <td>
                    <Foreign text={invitation.email} />
                  </td>
                  <td data-label="Role">{invitation.role}</td>
                  <td data-label="By">
                    <Foreign text={invitation.invited_by ?? 'a program'} />
                  </td>
                  <td data-label="Ends">
                    <RelativeTime time={invitation.expires_at} />
                  </td>
                  <td className="num">
                    <TakeBack invitation={invitation} />
                  </td>
                </tr>
              ))}
            </SimpleTable>
          )
        }
      </Loaded>
      <InviteDialog
        workspaceId={workspaceId}
        opened={inviting}
        onClose={() => setInviting(false)}
        onMade={setLink}
      />
      <SecretOnce
        title="The invitation"
        label="Link"
        secret={link}
        onClose={() => setLink(undefined)}
      />
    </Card>
  );
}

function TakeBack({
  invitation,
}: {
  invitation: { id: string; workspace_id: string; email: string };
}) {
  const may = useMay();
  const revoke = useAction('workspaces', 'revokeInvitation', {
    done: 'Its link does not work any more.',
    loud: true,
  });
  if (!may('workspaces', 'revokeInvitation')) return null;
  const params = { id: invitation.workspace_id, invitation_id: invitation.id };
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={`Take back the invitation of ${plainText(invitation.email)}`}
      loading={revoke.isPending}
      onClick={() => revoke.mutate({ params })}
    >
      Take back
    </Button>
  );
}

function InviteDialog({
  workspaceId,
  onMade,
  ...dialog
}: {
  workspaceId: string;
  opened: boolean;
  onClose: () => void;
  onMade: (link: string) => void;
}) {
  const invite = useAction('workspaces', 'invite', { done: 'The invitation is made.' });
  return (
    <FormDialog
      {...dialog}
      title="Invite to this workspace"
      action="Make link"
      initial={{ email: '', role: 'member' }}
      submit={async ({ email, role }) => {
        const body = { email: email.trim(), role: role === 'admin' ? 'admin' : 'member' } as const;
        onMade((await invite.mutateAsync({ params: { id: workspaceId }, body })).url);
      }}
    >
      {({ values, set }) => (
        <>
          <TextInput
            label="E-mail address"
            description="The link works for the account with this address alone"
            required
            data-autofocus
            value={values.email}
            onChange={(event) => set('email', event.currentTarget.value)}
          />
          <NativeSelect
            label="Role"
            data={['member', 'admin']}
            value={values.role}
            onChange={(event) => set('role', event.currentTarget.value)}
          />
        </>
      )}
    </FormDialog>
  );
}
