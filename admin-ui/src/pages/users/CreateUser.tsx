import { NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { useSession } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import { FormDialog } from '../../parts/FormDialog.tsx';
import type { OneTimeLink } from './LinkOnce.tsx';
import { groupsOf, isRole, roles } from './user-form.ts';

const empty = { email: '', name: '', role: '', groups: '', password: '' };

/** A new person; without a password they get an invitation. */
export function CreateUser({
  opened,
  onClose,
  onMade,
}: {
  opened: boolean;
  onClose: () => void;
  onMade: (id: string, link: OneTimeLink | null) => void;
}) {
  const { role } = useSession();
  const create = useAction('users', 'create', { done: 'The account is made.' });
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title="Add person"
      action="Add person"
      initial={empty}
      submit={async (values) => {
        const made = await create.mutateAsync({
          body: {
            email: values.email.trim(),
            ...(values.name.trim() && { name: values.name.trim() }),
            ...(isRole(values.role) && { role: values.role }),
            ...(values.password && { password: values.password }),
            groups: groupsOf(values.groups),
          },
        });
        onMade(made.id, made.invite);
      }}
    >
      {({ values, set }) => (
        <>
          <TextInput
            label="E-mail address"
            type="email"
            required
            data-autofocus
            value={values.email}
            onChange={(event) => set('email', event.currentTarget.value)}
          />
          <TextInput
            label="Name"
            value={values.name}
            onChange={(event) => set('name', event.currentTarget.value)}
          />
          <TextInput
            label="Groups"
            description="Separated by commas; access rules of resources name them"
            value={values.groups}
            onChange={(event) => set('groups', event.currentTarget.value)}
          />
          {role === 'owner' && (
            <NativeSelect
              label="Role in this administration"
              data={roles}
              value={values.role}
              onChange={(event) => set('role', event.currentTarget.value)}
            />
          )}
          <PasswordInput
            label="Password"
            description="Left empty, they choose one with an invitation link"
            autoComplete="new-password"
            value={values.password}
            onChange={(event) => set('password', event.currentTarget.value)}
          />
        </>
      )}
    </FormDialog>
  );
}
