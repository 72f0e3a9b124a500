import { Checkbox, NativeSelect, Stack, Textarea, TextInput } from '@mantine/core';
import { useAnswer } from '../../api/query.ts';
import type { FormProps } from '../../parts/FormDialog.tsx';
import { type ClientValues, grantTypes, isMethod, methods } from './client-form.ts';

/** Fields of a client; of one that is not ours only its ceilings. */
export function ClientFields({
  values,
  set,
  isNew = false,
  ceilingsOnly = false,
}: FormProps<ClientValues> & { isNew?: boolean; ceilingsOnly?: boolean }) {
  return (
    <>
      {!ceilingsOnly && <Registration values={values} set={set} isNew={isNew} />}
      <Ceilings values={values} set={set} />
    </>
  );
}

function Registration({ values, set, isNew }: FormProps<ClientValues> & { isNew: boolean }) {
  return (
    <>
      <TextInput
        label="Name"
        description="What people read when they are asked"
        value={values.client_name}
        maxLength={500}
        data-autofocus
        onChange={(event) => set('client_name', event.currentTarget.value)}
      />
      {isNew && (
        <TextInput
          label="client_id"
          description="Left empty, one is made up"
          value={values.client_id}
          maxLength={255}
          onChange={(event) => set('client_id', event.currentTarget.value)}
        />
      )}
      <NativeSelect
        label="How it proves who it is"
        data={methods}
        value={values.token_endpoint_auth_method}
        onChange={({ currentTarget: { value } }) =>
          isMethod(value) && set('token_endpoint_auth_method', value)
        }
      />
      <Checkbox.Group
        label="What it may do"
        value={values.grant_types}
        onChange={(value) => set('grant_types', value)}
      >
        <Stack gap="xs" mt="xs">
          {grantTypes.map((type) => (
            <Checkbox key={type.value} value={type.value} label={type.label} />
          ))}
        </Stack>
      </Checkbox.Group>
      <Textarea
        label="Redirect URIs"
        description="One a line. On this computer any port is good: http://127.0.0.1/callback"
        rows={3}
        value={values.redirect_uris}
        onChange={(event) => set('redirect_uris', event.currentTarget.value)}
      />
      {values.token_endpoint_auth_method === 'private_key_jwt' && (
        <TextInput
          label="jwks_uri"
          description="Where its public keys are"
          value={values.jwks_uri}
          onChange={(event) => set('jwks_uri', event.currentTarget.value)}
        />
      )}
    </>
  );
}

function Ceilings({ values, set }: FormProps<ClientValues>) {
  const { data } = useAnswer('resources', 'list', { query: { limit: 5 } });
  const example = data?.items[0]?.uri ?? 'https://mcp.example.com/mcp';
  return (
    <>
      <Textarea
        label="Resources"
        description="URIs that it may ask for, one a line. Empty: every resource"
        placeholder={example}
        rows={2}
        value={values.resources}
        onChange={(event) => set('resources', event.currentTarget.value)}
      />
      <TextInput
        label="Most scopes"
        description="Space-separated. Empty: all that the resource has"
        value={values.scope}
        onChange={(event) => set('scope', event.currentTarget.value)}
      />
    </>
  );
}
