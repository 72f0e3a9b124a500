import { NativeSelect, TextInput } from '@mantine/core';
import { useSession } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { groupsOf, isRole, roles, type UserDetail } from './user-form.ts';

/** Name, groups and, for owners, the role. */
export function EditUser({
  user,
  ...dialog
}: {
  user: UserDetail;
  opened: boolean;
  onClose: () => void;
}) {
  const { role } = useSession();
  const update = useAction('users', 'update', { done: 'The account is changed.' });
  const before = { name: user.name ?? '', groups: user.groups.join(', '), role: user.role ?? '' };
  return (
    <FormDialog<{ name: string; groups: string; role: string }>
      {...dialog}
      title="Edit account"
      action="Save"
      initial={before}
      submit={(values) =>
        update.mutateAsync({
          params: { id: user.id },
          body: {
            ...(values.name !== before.name && { name: values.name.trim() || null }),
            ...(values.groups !== before.groups && { groups: groupsOf(values.groups) }),
            ...(values.role !== before.role && { role: isRole(values.role) ? values.role : null }),
          },
        })
      }
    >
      {({ values, set }) => (
        <>
          <TextInput
            label="Name"
            data-autofocus
            value={values.name}
            onChange={(event) => set('name', event.currentTarget.value)}
          />
          <TextInput
            label="Groups"
            description="Separated by commas"
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
        </>
      )}
    </FormDialog>
  );
}
