import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import { ActionMenu } from '../../parts/ActionMenu.tsx';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { JsonView } from '../../parts/JsonView.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { EditIssuer, type Issuer } from './IssuerDialogs.tsx';

export default function IssuerPage() {
  const { id = '' } = useParams();
  const query = useAnswer('trusted-issuers', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(issuer) => <Detail issuer={issuer} />}
    </Loaded>
  );
}

const listed = (list: readonly string[] | null) =>
  list === null
    ? 'any'
    : list.map((item) => (
        <div key={item}>
          <code>{plainText(item)}</code>
        </div>
      ));

function Detail({ issuer }: { issuer: Issuer }) {
  return (
    <>
      <PageHeader
        title={shorten(plainText(issuer.issuer), 80)}
        back={{ to: '/trusted-issuers', label: 'Trusted issuers' }}
        chips={<Status value={issuer.enabled ? 'enabled' : 'disabled'} />}
      >
        <Actions issuer={issuer} />
      </PageHeader>
      <Rows>
        <Card>
          <Fields
            items={[
              ['Issuer', <CopyableId key="i" value={issuer.issuer} limit={70} />],
              [
                'Keys',
                issuer.jwks_uri
                  ? plainText(issuer.jwks_uri)
                  : issuer.jwks
                    ? 'given below'
                    : 'as its metadata says',
              ],
              ['Clients', listed(issuer.clients)],
              ['Resources', listed(issuer.resources)],
              ['Most scopes', listed(issuer.scopes)],
              ['Unknown people', issuer.subject === 'automatic' ? 'get an account' : 'are refused'],
              [
                'Made in',
                issuer.source === 'config' ? 'the configuration, where it is edited' : 'here',
              ],
            ]}
          />
        </Card>
        {issuer.jwks && <JsonView value={issuer.jwks} label="Public keys" />}
      </Rows>
    </>
  );
}

function Actions({ issuer }: { issuer: Issuer }) {
  const may = useMay();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'edit' | 'disable' | 'remove'>();
  const close = () => setOpen(undefined);
  const params = { id: issuer.id };
  const enable = useAction('trusted-issuers', 'enable', { done: 'It is trusted.', loud: true });
  const disable = useAction('trusted-issuers', 'disable', { done: 'It is trusted no more.' });
  const remove = useAction('trusted-issuers', 'remove', { done: 'It is removed.' });
  return (
    <>
      {!issuer.enabled && may('trusted-issuers', 'enable') && (
        <Button loading={enable.isPending} onClick={() => enable.mutate({ params })}>
          Enable
        </Button>
      )}
      {issuer.source === 'admin' && may('trusted-issuers', 'update') && (
        <Button variant="default" onClick={() => setOpen('edit')}>
          Edit
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: 'Disable',
            run: () => setOpen('disable'),
            may: issuer.enabled && may('trusted-issuers', 'disable'),
          },
          {
            label: 'Remove',
            run: () => setOpen('remove'),
            bad: true,
            may: may('trusted-issuers', 'remove'),
          },
        ]}
      />
      <EditIssuer issuer={issuer} opened={open === 'edit'} onClose={close} />
      <ConfirmDestructive
        opened={open === 'disable'}
        onClose={close}
        title="Stop trusting this issuer"
        action="Disable"
        consequences={['Its assertions buy nothing. Tokens that they bought live out their time.']}
        run={() => disable.mutateAsync({ params })}
      />
      <ConfirmDestructive
        opened={open === 'remove'}
        onClose={close}
        title="Remove this issuer"
        action="Remove"
        typeName="remove"
        consequences={['Ends the trust for good. Tokens that it bought live out their time.']}
        run={async () => {
          await remove.mutateAsync({ params, ifMatch: issuer.version });
          void navigate('/trusted-issuers');
        }}
      />
    </>
  );
}
