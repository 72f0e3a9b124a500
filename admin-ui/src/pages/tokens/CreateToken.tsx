import { Checkbox, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useId } from 'react';
import { useApi } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import { FormDialog, type FormProps } from '../../parts/FormDialog.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';

interface Values {
  email: string;
  name: string;
  resource: string;
  scopes: string[];
  workspace_id: string;
  days: string;
}

const empty: Values = {
  email: '',
  name: '',
  resource: '',
  scopes: [],
  workspace_id: '',
  days: '90',
};
const day = 86_400;

/** A token for somebody; they see it in their list. */
export function CreateToken({
  opened,
  onClose,
  onMade,
}: {
  opened: boolean;
  onClose: () => void;
  onMade: (token: string) => void;
}) {
  const create = useAction('tokens', 'create', { changes: ['issuances'] });
  const personWith = usePersonWith();
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title="Make a personal access token"
      action="Make token"
      initial={empty}
      submit={async ({ email, name, resource, scopes, workspace_id, days }) => {
        const made = await create.mutateAsync({
          body: {
            sub: await personWith(email.trim()),
            name,
            resource,
            scope: scopes.join(' '),
            ...(workspace_id && { workspace_id }),
            ...(Number(days) > 0 && { expires_in: Math.round(Number(days) * day) }),
          },
        });
        onMade(made.token);
      }}
    >
      {(form) => (
        <>
          <Person {...form} />
          <TextInput
            label="Name"
            description="What uses it"
            required
            value={form.values.name}
            onChange={(event) => form.set('name', event.currentTarget.value)}
          />
          <Target {...form} />
          <TextInput
            label="Lives for days"
            inputMode="numeric"
            required
            value={form.values.days}
            onChange={(event) => form.set('days', event.currentTarget.value.replace(/\D/g, ''))}
          />
        </>
      )}
    </FormDialog>
  );
}

/** Id of the person with an e-mail address; an id is taken as it is. */
function usePersonWith() {
  const api = useApi();
  return async (email: string) => {
    if (!email.includes('@')) return email;
    const { items } = await api.call('users', 'list', { query: { q: email, limit: 20 } });
    const found = items.find((user) => user.email.toLowerCase() === email.toLowerCase());
    if (!found) throw new Error('Nobody here has this e-mail address. Create the person first.');
    return found.id;
  };
}

function Person({ values, set }: FormProps<Values>) {
  const list = useId();
  const [wanted] = useDebouncedValue(values.email.trim(), 250);
  const { data } = useAnswer(
    'users',
    'list',
    { query: { limit: 8, ...(wanted && { q: wanted }) } },
    { keep: true },
  );
  return (
    <>
      <TextInput
        label="Person"
        description="Their e-mail address"
        required
        data-autofocus
        autoComplete="off"
        list={list}
        value={values.email}
        onChange={(event) => set('email', event.currentTarget.value)}
      />
      <datalist id={list}>
        {data?.items.map(({ id, email }) => (
          <option key={id} value={email} />
        ))}
      </datalist>
    </>
  );
}

/** What it is for: the resource, its scopes, and a workspace where it asks for one. */
function Target({ values, set }: FormProps<Values>) {
  const resources = useAnswer('resources', 'list', { query: { limit: 200, enabled: 'true' } });
  const items = resources.data?.items ?? [];
  const chosen = items.find(({ uri }) => uri === values.resource);
  const scopes = chosen?.scopes ?? [];
  return (
    <>
      <NativeSelect
        label="Resource"
        required
        value={values.resource}
        data={[
          { value: '', label: 'Choose …' },
          ...items.map(({ uri, display_name }) => ({
            value: uri,
            label: shorten(`${plainText(display_name)} (${uri})`, 90),
          })),
        ]}
        onChange={(event) => {
          set('resource', event.currentTarget.value);
          set('scopes', []);
          set('workspace_id', '');
        }}
      />
      {scopes.length > 0 && (
        <Checkbox.Group
          label="Scopes"
          value={values.scopes}
          onChange={(value) => set('scopes', value)}
        >
          <Stack gap="xs" mt="xs">
            {scopes.map(({ name, description }) => (
              <Checkbox
                key={name}
                value={name}
                label={name}
                description={shorten(plainText(description), 160)}
              />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
      {chosen?.workspace_scoped && <Workspace values={values} set={set} />}
    </>
  );
}

function Workspace({ values, set }: FormProps<Values>) {
  const { data } = useAnswer('workspaces', 'list', { query: { limit: 200 } });
  return (
    <NativeSelect
      label="Workspace"
      description="One that the person is a member of"
      required
      value={values.workspace_id}
      data={[
        { value: '', label: 'Choose …' },
        ...(data?.items ?? []).map(({ id, name }) => ({
          value: id,
          label: shorten(plainText(name), 60),
        })),
      ]}
      onChange={(event) => set('workspace_id', event.currentTarget.value)}
    />
  );
}
