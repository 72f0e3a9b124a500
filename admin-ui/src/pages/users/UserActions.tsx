import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { showError, useAction } from '../../api/query.ts';
import { ActionMenu } from '../../parts/ActionMenu.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { EditUser } from './EditUser.tsx';
import { LinkOnce, type OneTimeLink } from './LinkOnce.tsx';
import type { UserDetail } from './user-form.ts';

/** What can be done with an account. */
export function UserActions({ user }: { user: UserDetail }) {
  const may = useMay();
  const [open, setOpen] = useState<'edit' | 'disable' | 'sign-out'>();
  const [link, setLink] = useState<OneTimeLink>();
  const close = () => setOpen(undefined);
  const params = { id: user.id };
  const enable = useAction('users', 'enable', { done: 'They may sign in again.', loud: true });
  const unlock = useAction('users', 'unlock', { done: 'They may try again now.', loud: true });
  const invite = useAction('users', 'invite');
  const reset = useAction('users', 'resetLink');
  const active = user.status === 'active';

  async function makeLink() {
    try {
      setLink(await (user.has_password ? reset : invite).mutateAsync({ params }));
    } catch (error) {
      if (error instanceof Error) showError(error);
    }
  }

  return (
    <>
      {!active && may('users', 'enable') && (
        <Button loading={enable.isPending} onClick={() => enable.mutate({ params })}>
          Enable
        </Button>
      )}
      {may('users', 'update') && (
        <Button variant="default" onClick={() => setOpen('edit')}>
          Edit
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: user.has_password ? 'Make a password link' : 'Make an invitation link',
            run: () => void makeLink(),
            may: active && may('users', 'resetLink'),
          },
          {
            label: 'Unlock now',
            run: () => unlock.mutate({ params }),
            may: user.locked_until !== null && may('users', 'unlock'),
          },
          {
            label: 'Sign out everywhere',
            run: () => setOpen('sign-out'),
            may: may('users', 'signOut'),
          },
          {
            label: 'Disable',
            run: () => setOpen('disable'),
            bad: true,
            may: active && may('users', 'disable'),
          },
        ]}
      />
      <EditUser user={user} opened={open === 'edit'} onClose={close} />
      <Endings user={user} open={open} onClose={close} />
      <LinkOnce title="A link for a new password" link={link} onClose={() => setLink(undefined)} />
    </>
  );
}

function Endings({
  user,
  open,
  onClose,
}: {
  user: UserDetail;
  open: 'edit' | 'disable' | 'sign-out' | undefined;
  onClose: () => void;
}) {
  const params = { id: user.id };
  const disable = useAction('users', 'disable', {
    done: 'The account is disabled.',
    changes: ['grants', 'issuances', 'tokens'],
  });
  const signOut = useAction('users', 'signOut', { done: 'They are signed out everywhere.' });
  const person = shorten(plainText(user.email), 60);
  return (
    <>
      <ConfirmDestructive
        opened={open === 'disable'}
        onClose={onClose}
        title="Disable this account"
        action="Disable"
        consequences={[
          `Ends every session and token of ${person}, and sign-in from now on.`,
          'Enable brings sign-in back; apps have to be connected again.',
        ]}
        run={() => disable.mutateAsync({ params })}
      />
      <ConfirmDestructive
        opened={open === 'sign-out'}
        onClose={onClose}
        title="Sign out everywhere"
        action="Sign out"
        consequences={[
          `Ends ${user.sessions} session${user.sessions === 1 ? '' : 's'} of ${person}.`,
          'Connected apps keep their access.',
        ]}
        run={() => signOut.mutateAsync({ params })}
      />
    </>
  );
}
