import { NativeSelect, TextInput } from '@mantine/core';
import { useAction } from '../../api/query.ts';
import type { Body } from '../../api/types.ts';
import { FormDialog } from '../../parts/FormDialog.tsx';

type Role = Body<'api-keys', 'create'>['role'];

const day = 86_400;
const lives = [
  { value: String(90 * day), label: '90 days' },
  { value: String(30 * day), label: '30 days' },
  { value: String(365 * day), label: 'a year' },
  { value: '', label: 'until it is revoked' },
];

const roles: { value: Role; label: string }[] = [
  { value: 'viewer', label: 'Viewer: reads' },
  { value: 'operator', label: 'Operator: changes clients, grants, tokens, resources, people' },
  { value: 'owner', label: 'Owner: everything' },
];

const isRole = (value: string): value is Role => roles.some((role) => role.value === value);

export function CreateApiKey({
  opened,
  onClose,
  onMade,
}: {
  opened: boolean;
  onClose: () => void;
  onMade: (key: string) => void;
}) {
  const create = useAction('api-keys', 'create');
  const initial: { name: string; role: Role; life: string } = {
    name: '',
    role: 'viewer',
    life: String(90 * day),
  };
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title="Make API key"
      action="Make API key"
      initial={initial}
      submit={async ({ name, role, life }) => {
        const body = { name: name.trim(), role, ...(life && { expires_in: Number(life) }) };
        onMade((await create.mutateAsync({ body })).key);
      }}
    >
      {({ values, set }) => (
        <>
          <TextInput
            label="Name"
            description="What uses it, to know it again"
            required
            data-autofocus
            value={values.name}
            onChange={(event) => set('name', event.currentTarget.value)}
          />
          <NativeSelect
            label="Role"
            data={roles}
            value={values.role}
            onChange={({ currentTarget: { value } }) => isRole(value) && set('role', value)}
          />
          <NativeSelect
            label="Lives"
            data={lives}
            value={values.life}
            onChange={(event) => set('life', event.currentTarget.value)}
          />
        </>
      )}
    </FormDialog>
  );
}
