import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import type { FormProps } from '../../parts/FormDialog.tsx';
import { RowsEditor } from './RowsEditor.tsx';
import { type AccessRow, newRule, newScope, type ResourceValues } from './resource-form.ts';

/** The scopes of a resource, one row each. */
export function ScopeRows({ values, set }: FormProps<ResourceValues>) {
  return (
    <RowsEditor
      legend="Scopes"
      hint="With no default, a client that asks for no scope gets all of them."
      noun="scope"
      rows={values.scopes}
      onChange={(rows) => set('scopes', rows)}
      create={newScope}
    >
      {(row, change) => (
        <>
          <TextInput
            label="Scope"
            placeholder="boards:write"
            required
            value={row.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <TextInput
            label="What it allows"
            placeholder="Change your boards"
            value={row.description}
            onChange={(event) => change({ description: event.currentTarget.value })}
          />
          <TextInput
            label="Includes"
            placeholder="boards:read"
            value={row.implies}
            onChange={(event) => change({ implies: event.currentTarget.value })}
          />
          <Checkbox
            label="Given by default"
            checked={row.isDefault}
            onChange={(event) => change({ isDefault: event.currentTarget.checked })}
          />
        </>
      )}
    </RowsEditor>
  );
}

const roles: readonly { value: AccessRow['roles']; label: string }[] = [
  { value: '', label: 'not looked at' },
  { value: 'member', label: 'members' },
  { value: 'admin', label: 'admins' },
  { value: 'both', label: 'members and admins' },
];

/** Who may consent to which scopes; without a rule everybody may consent to all. */
export function AccessRows({ values, set }: FormProps<ResourceValues>) {
  return (
    <RowsEditor
      legend="Who may consent"
      hint="Without a rule everybody may consent to every scope."
      noun="rule"
      rows={values.access}
      onChange={(rows) => set('access', rows)}
      create={newRule}
    >
      {(row, change) => (
        <>
          <TextInput
            label="People"
            placeholder="alice@example.com, bob@example.com"
            value={row.users}
            onChange={(event) => change({ users: event.currentTarget.value })}
          />
          <TextInput
            label="Groups"
            placeholder="engineering, support"
            value={row.groups}
            onChange={(event) => change({ groups: event.currentTarget.value })}
          />
          <NativeSelect
            label="Role in the workspace"
            data={[...roles]}
            value={row.roles}
            onChange={(event) => {
              const chosen = roles.find(({ value }) => value === event.currentTarget.value);
              change({ roles: chosen?.value ?? '' });
            }}
          />
          <TextInput
            label="May consent to"
            placeholder="boards:read boards:write"
            required
            value={row.scopes}
            onChange={(event) => change({ scopes: event.currentTarget.value })}
          />
        </>
      )}
    </RowsEditor>
  );
}
