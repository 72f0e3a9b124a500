import { NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useAction } from '../../api/query.ts';
import type { Answer, Body } from '../../api/types.ts';
import { FormDialog, type FormProps, linesOf } from '../../parts/FormDialog.tsx';

export type Issuer = Answer<'trusted-issuers', 'get'>;

const empty = {
  issuer: '',
  jwks_uri: '',
  jwks: '',
  clients: '',
  resources: '',
  scopes: '',
  subject: 'strict',
};
type Values = typeof empty;

const lines = (text: string) => {
  const list = linesOf(text);
  return list.length > 0 ? list : null;
};

/** @throws Error with a sentence for the person who pasted it */
function keySet(text: string): Body<'trusted-issuers', 'create'>['jwks'] {
  if (!text.trim()) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The key set is not JSON. Paste the whole of {"keys": [ … ]}.');
  }
}

function settingsOf({ jwks_uri, jwks, clients, resources, scopes, subject }: Values) {
  const kind: Issuer['subject'] = subject === 'automatic' ? 'automatic' : 'strict';
  return {
    jwks_uri: jwks_uri.trim() || null,
    jwks: keySet(jwks),
    clients: lines(clients),
    resources: lines(resources),
    scopes: lines(scopes),
    subject: kind,
  };
}

interface DialogProps {
  opened: boolean;
  onClose: () => void;
}

export function CreateIssuer({
  onMade,
  ...dialog
}: DialogProps & { onMade: (id: string) => void }) {
  const create = useAction('trusted-issuers', 'create', { done: 'The issuer is trusted.' });
  return (
    <FormDialog
      {...dialog}
      title="Trust an issuer"
      action="Trust"
      initial={empty}
      submit={async (values) => {
        const body = { issuer: values.issuer.trim(), ...settingsOf(values) };
        onMade((await create.mutateAsync({ body })).id);
      }}
    >
      {({ values, set }) => (
        <>
          <TextInput
            label="Issuer"
            description="iss of its assertions, byte for byte"
            required
            data-autofocus
            value={values.issuer}
            onChange={(event) => set('issuer', event.currentTarget.value)}
          />
          <Settings values={values} set={set} />
        </>
      )}
    </FormDialog>
  );
}

export function EditIssuer({ issuer, ...dialog }: DialogProps & { issuer: Issuer }) {
  const update = useAction('trusted-issuers', 'update', { done: 'The issuer is changed.' });
  const text = (list: string[] | null) => (list ?? []).join('\n');
  return (
    <FormDialog
      {...dialog}
      title="Edit trusted issuer"
      action="Save"
      initial={{
        ...empty,
        jwks_uri: issuer.jwks_uri ?? '',
        jwks: issuer.jwks ? JSON.stringify(issuer.jwks, null, 2) : '',
        clients: text(issuer.clients),
        resources: text(issuer.resources),
        scopes: text(issuer.scopes),
        subject: issuer.subject as string,
      }}
      submit={async (values) =>
        update.mutateAsync({
          params: { id: issuer.id },
          body: settingsOf(values),
          ifMatch: issuer.version,
        })
      }
    >
      {(form) => <Settings {...form} />}
    </FormDialog>
  );
}

const ceilings = [
  { name: 'clients', label: 'Clients that may present them' },
  { name: 'resources', label: 'Resources that it may speak for' },
  { name: 'scopes', label: 'Most scopes' },
] as const;

function Settings({ values, set }: FormProps<Values>) {
  return (
    <>
      <TextInput
        label="Address of its keys (jwks_uri)"
        description="Empty: as its own metadata says"
        value={values.jwks_uri}
        onChange={(event) => set('jwks_uri', event.currentTarget.value)}
      />
      <Textarea
        label="Public keys"
        description="A JWK set to use instead of fetching one"
        placeholder={'{"keys": [ … ]}'}
        rows={2}
        spellCheck={false}
        value={values.jwks}
        onChange={(event) => set('jwks', event.currentTarget.value)}
      />
      {ceilings.map(({ name, label }) => (
        <Textarea
          key={name}
          label={label}
          description="One a line. Empty: any"
          rows={2}
          value={values[name]}
          onChange={(event) => set(name, event.currentTarget.value)}
        />
      ))}
      <NativeSelect
        label="A person whom we do not know"
        value={values.subject}
        onChange={(event) => set('subject', event.currentTarget.value)}
        data={[
          { value: 'strict', label: 'is refused' },
          { value: 'automatic', label: 'gets an account' },
        ]}
      />
    </>
  );
}
