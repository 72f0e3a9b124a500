import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import { ActionMenu } from '../../parts/ActionMenu.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { ClientFields } from './ClientFields.tsx';
import { type ClientDetail, changeOf, valuesOf } from './client-form.ts';
import { RotateSecret } from './RotateSecret.tsx';

type Open = 'edit' | 'rotate' | 'suspend' | 'revoke' | 'delete';

/** What can be done with a client. Suspending is undone by a click; deleting asks for its name. */
export function ClientActions({ client }: { client: ClientDetail }) {
  const may = useMay();
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const params = { id: client.id };
  const resume = useAction('clients', 'resume', { done: 'The client may work again.', loud: true });
  const suspended = client.status === 'suspended';
  const declared = client.source === 'config';
  return (
    <>
      {suspended && may('clients', 'resume') && (
        <Button loading={resume.isPending} onClick={() => resume.mutate({ params })}>
          Resume
        </Button>
      )}
      {!declared && may('clients', 'update') && (
        <Button variant="default" onClick={() => setOpen('edit')}>
          Edit
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: 'Rotate secret',
            run: () => setOpen('rotate'),
            may: client.has_secret && may('clients', 'rotateSecret'),
          },
          {
            label: 'Suspend',
            run: () => setOpen('suspend'),
            may: !suspended && may('clients', 'suspend'),
          },
          {
            label: 'Revoke all grants',
            run: () => setOpen('revoke'),
            may: may('clients', 'revoke'),
            bad: true,
          },
          {
            label: 'Delete',
            run: () => setOpen('delete'),
            may: may('clients', 'remove'),
            bad: true,
          },
        ]}
      />
      <EditDialog client={client} opened={open === 'edit'} onClose={close} />
      <RotateSecret client={client} opened={open === 'rotate'} onClose={close} />
      <Endings client={client} open={open} onClose={close} />
    </>
  );
}

function EditDialog({
  client,
  ...dialog
}: {
  client: ClientDetail;
  opened: boolean;
  onClose: () => void;
}) {
  const update = useAction('clients', 'update', { done: 'The client is changed.' });
  return (
    <FormDialog
      {...dialog}
      title="Edit client"
      action="Save"
      initial={valuesOf(client)}
      submit={(values) =>
        update.mutateAsync({
          params: { id: client.id },
          body: changeOf(client, values),
          ifMatch: client.version,
        })
      }
    >
      {(form) => <ClientFields {...form} ceilingsOnly={client.kind !== 'preregistered'} />}
    </FormDialog>
  );
}

function Endings({
  client,
  open,
  onClose,
}: {
  client: ClientDetail;
  open: Open | undefined;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const params = { id: client.id };
  const changes = ['grants', 'issuances'] as const;
  const suspend = useAction('clients', 'suspend', { done: 'The client is suspended.', changes });
  const revoke = useAction('clients', 'revoke', { done: 'Its grants are withdrawn.', changes });
  const remove = useAction('clients', 'remove', { done: 'The client is deleted.', changes });
  const connections = `${client.grants.toLocaleString('en')} connection${client.grants === 1 ? '' : 's'}`;
  return (
    <>
      <ConfirmDestructive
        opened={open === 'suspend'}
        onClose={onClose}
        title="Suspend this client"
        action="Suspend"
        consequences={[`Stops ${connections} until it is resumed. Nothing is lost.`]}
        run={() => suspend.mutateAsync({ params, body: {} })}
      />
      <ConfirmDestructive
        opened={open === 'revoke'}
        onClose={onClose}
        title="Revoke all grants of this client"
        action="Revoke all"
        consequences={[`Ends ${connections} and every token of this client.`, 'The client stays.']}
        run={() => revoke.mutateAsync({ params, body: {} })}
      />
      <ConfirmDestructive
        opened={open === 'delete'}
        onClose={onClose}
        title="Delete this client"
        action="Delete"
        typeName={client.client_id.length > 60 ? 'delete' : client.client_id}
        consequences={[
          `Ends ${connections} and every token of this client, for good.`,
          ...(client.source === 'config'
            ? ['The configuration declares it: it is made again at the next start.']
            : []),
        ]}
        run={async () => {
          await remove.mutateAsync({ params, ifMatch: client.version });
          void navigate('/clients');
        }}
      />
    </>
  );
}
