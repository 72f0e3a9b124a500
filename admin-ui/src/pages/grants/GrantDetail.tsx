import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import { ActionMenu } from '../../parts/ActionMenu.tsx';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { ClientLink, PersonLink, WorkspaceLink } from '../../parts/ClientName.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { IssuanceTable } from '../issuances/IssuanceTable.tsx';
import type { Grant } from './columns.tsx';

export default function GrantDetail() {
  const { id = '' } = useParams();
  const query = useAnswer('grants', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(grant) => <Detail grant={grant} />}
    </Loaded>
  );
}

function Detail({ grant }: { grant: Grant }) {
  const may = useMay();
  const [open, setOpen] = useState<'label' | 'revoke'>();
  const close = () => setOpen(undefined);
  const person = shorten(plainText(grant.username ?? grant.sub), 60);
  const client = shorten(plainText(grant.client_name ?? grant.client_id), 60);
  const ended = grant.status === 'revoked';
  return (
    <>
      <PageHeader
        title={`${client} for ${person}`}
        back={{ to: '/grants', label: 'Grants' }}
        chips={<Status value={grant.status} />}
      >
        {!ended && may('grants', 'revoke') && (
          <Button color="red" variant="outline" onClick={() => setOpen('revoke')}>
            Revoke
          </Button>
        )}
        <ActionMenu
          items={[{ label: 'Label', run: () => setOpen('label'), may: may('grants', 'update') }]}
        />
      </PageHeader>
      <Rows>
        <Facts grant={grant} />
        <h2>Tokens of this client for this person</h2>
        <IssuanceTable
          fixed={{ sub: grant.sub, client_id: grant.client_id, resource: grant.resource }}
        />
      </Rows>
      <LabelDialog grant={grant} opened={open === 'label'} onClose={close} />
      <RevokeDialog
        grant={grant}
        opened={open === 'revoke'}
        onClose={close}
        names={[client, person]}
      />
    </>
  );
}

function Facts({ grant }: { grant: Grant }) {
  const mayRead = useMay()('resources', 'list');
  return (
    <Card>
      <Fields
        items={[
          ['Person', <PersonLink key="p" id={grant.sub} email={grant.username} />],
          ['Client', <ClientLink key="c" id={grant.client_id} name={grant.client_name} />],
          [
            'Resource',
            mayRead ? (
              <Link key="r" to={`/resources?${new URLSearchParams({ q: grant.resource })}`}>
                <Foreign text={grant.resource} limit={90} />
              </Link>
            ) : (
              <Foreign key="r" text={grant.resource} limit={90} />
            ),
          ],
          ['Scopes', <ScopeList key="s" scope={grant.scope} most={50} />],
          ['Workspace', grant.workspace_id && <WorkspaceLink id={grant.workspace_id} />],
          ['Label', grant.label && <Foreign text={grant.label} limit={200} />],
          ['Sent back to', <code key="h">{plainText(grant.redirect_host)}</code>],
          ['Granted', <RelativeTime key="t" time={grant.created_at} />],
          ['Changed', <RelativeTime key="u" time={grant.updated_at} />],
          ['Last used', <RelativeTime key="l" time={grant.last_used_at} />],
          ['Revoked', grant.revoked_at && <RelativeTime time={grant.revoked_at} />],
          ['Id', <CopyableId key="i" value={grant.id} limit={60} />],
        ]}
      />
    </Card>
  );
}

interface DialogProps {
  grant: Grant;
  opened: boolean;
  onClose: () => void;
}

function LabelDialog({ grant, ...dialog }: DialogProps) {
  const update = useAction('grants', 'update', { done: 'The label is saved.' });
  return (
    <FormDialog
      {...dialog}
      title="Label this connection"
      action="Save"
      initial={{ label: grant.label ?? '' }}
      submit={({ label }) =>
        update.mutateAsync({
          params: { id: grant.id },
          body: { label: label.trim() || null },
          ifMatch: grant.version,
        })
      }
    >
      {({ values, set }) => (
        <TextInput
          label="Label"
          description="What operators call it, to tell connections apart"
          maxLength={200}
          data-autofocus
          value={values.label}
          onChange={(event) => set('label', event.currentTarget.value)}
        />
      )}
    </FormDialog>
  );
}

function RevokeDialog({
  grant,
  names: [client, person],
  ...dialog
}: DialogProps & { names: [string, string] }) {
  const revoke = useAction('grants', 'revoke', {
    done: 'The connection has ended.',
    changes: ['issuances', 'clients'],
  });
  return (
    <ConfirmDestructive
      {...dialog}
      title="Revoke this grant"
      action="Revoke"
      consequences={[
        `Ends the connection of ${person} through ${client}.`,
        'Every token under it ends now. Whoever connects again is asked again.',
      ]}
      run={() => revoke.mutateAsync({ params: { id: grant.id } })}
    />
  );
}
