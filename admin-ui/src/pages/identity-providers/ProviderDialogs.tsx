import { Checkbox, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { useAction } from '../../api/query.ts';
import { FormDialog, type FormProps } from '../../parts/FormDialog.tsx';
import {
  emptyProvider,
  type Provider,
  type ProviderValues,
  settingsOf,
  valuesOf,
} from './provider-form.ts';

interface DialogProps {
  opened: boolean;
  onClose: () => void;
}

export function CreateProvider({
  onMade,
  ...dialog
}: DialogProps & { onMade: (id: string) => void }) {
  const create = useAction('identity-providers', 'create', { done: 'The provider is added.' });
  return (
    <FormDialog
      {...dialog}
      title="Add identity provider"
      action="Add provider"
      initial={emptyProvider}
      submit={async (values) => {
        const { client_secret, client_id, ...settings } = settingsOf(values);
        const made = await create.mutateAsync({
          body: {
            slug: values.slug.trim(),
            issuer: values.issuer.trim(),
            client_id: client_id ?? '',
            ...(client_secret && { client_secret }),
            ...settings,
          },
        });
        onMade(made.id);
      }}
    >
      {(form) => <ProviderFields {...form} isNew />}
    </FormDialog>
  );
}

export function EditProvider({ provider, ...dialog }: DialogProps & { provider: Provider }) {
  const update = useAction('identity-providers', 'update', { done: 'The provider is changed.' });
  return (
    <FormDialog
      {...dialog}
      title="Edit identity provider"
      action="Save"
      initial={valuesOf(provider)}
      submit={(values) =>
        update.mutateAsync({
          params: { id: provider.id },
          body: settingsOf(values),
          ifMatch: provider.version,
        })
      }
    >
      {(form) => <ProviderFields {...form} />}
    </FormDialog>
  );
}

const newFields = [
  { name: 'issuer', label: 'Issuer', description: 'Such as: https://login.example.com' },
  { name: 'slug', label: 'Short name', description: 'Used in the callback URL; it never changes' },
] as const;

const textFields = [
  { name: 'display_name', label: 'Text of the button', description: 'Such as: Acme account' },
  { name: 'client_id', label: 'Our client_id there', description: undefined },
  { name: 'scopes', label: 'Scopes', description: 'What we ask for' },
  { name: 'groups_claim', label: 'Claim with the groups', description: undefined },
] as const;

function ProviderFields({ values, set, isNew }: FormProps<ProviderValues> & { isNew?: boolean }) {
  return (
    <>
      {[...(isNew ? newFields : []), ...textFields].map(({ name, ...field }) => (
        <TextInput
          key={name}
          {...field}
          required={name !== 'display_name'}
          data-autofocus={name === 'issuer' || undefined}
          value={values[name]}
          onChange={(event) => set(name, event.currentTarget.value)}
        />
      ))}
      <PasswordInput
        label="Our secret there"
        description={isNew ? 'Never shown again' : 'Left empty, it stays'}
        autoComplete="off"
        value={values.client_secret}
        onChange={(event) => set('client_secret', event.currentTarget.value)}
      />
      <Textarea
        label="Roles by group"
        description="One a line: group there = viewer, operator or owner"
        rows={2}
        value={values.roles}
        onChange={(event) => set('roles', event.currentTarget.value)}
      />
      <Textarea
        label="Groups by group"
        description="One a line: group there = group here"
        rows={2}
        value={values.groups}
        onChange={(event) => set('groups', event.currentTarget.value)}
      />
      <Checkbox
        label="An unknown person gets an account"
        description="Otherwise only people with an account here sign in there"
        checked={values.automatic}
        onChange={(event) => set('automatic', event.currentTarget.checked)}
      />
      <Checkbox
        label="It may be at an address of a private network"
        description="Only for a provider inside of your own network"
        checked={values.private_network}
        onChange={(event) => set('private_network', event.currentTarget.checked)}
      />
    </>
  );
}
