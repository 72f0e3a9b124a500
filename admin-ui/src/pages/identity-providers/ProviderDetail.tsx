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
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Columns, Rows, SimpleTable } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { EditProvider } from './ProviderDialogs.tsx';
import { ProviderTest } from './ProviderTest.tsx';
import type { Provider } from './provider-form.ts';

export default function ProviderPage() {
  const { id = '' } = useParams();
  const query = useAnswer('identity-providers', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(provider) => <Detail provider={provider} />}
    </Loaded>
  );
}

function Detail({ provider }: { provider: Provider }) {
  return (
    <>
      <PageHeader
        title={shorten(plainText(provider.display_name), 80)}
        back={{ to: '/identity-providers', label: 'Identity providers' }}
        chips={<Status value={provider.enabled ? 'enabled' : 'disabled'} />}
      >
        <Actions provider={provider} />
      </PageHeader>
      <Rows>
        <Card title="Callback to register there">
          <p className="muted">The provider sends people back to this address only.</p>
          <CopyableId value={provider.callback_url} limit={120} />
        </Card>
        <ProviderTest id={provider.id} />
        <Columns>
          <Card title="What it is">
            <Fields
              items={[
                ['Issuer', <CopyableId key="i" value={provider.issuer} limit={60} />],
                ['Our client_id', <CopyableId key="d" value={provider.client_id} limit={40} />],
                ['Our secret', provider.has_client_secret ? 'set' : 'none'],
                ['Scopes', <ScopeList key="s" scope={provider.scopes.join(' ')} most={20} />],
                ['Unknown people', provider.automatic ? 'get an account' : 'are refused'],
                ['Private network', provider.private_network ? 'allowed' : 'refused'],
                [
                  'Made in',
                  provider.source === 'config' ? 'the configuration, where it is edited' : 'here',
                ],
              ]}
            />
          </Card>
          <Card title="From its groups" hint={plainText(provider.groups_claim)}>
            <Rows>
              <GroupMap map={provider.roles} there="Group there" here="Role here" />
              <GroupMap map={provider.groups} there="Group there" here="Group here" />
            </Rows>
          </Card>
        </Columns>
      </Rows>
    </>
  );
}

function GroupMap({
  map,
  there,
  here,
}: {
  map: Readonly<Record<string, string>>;
  there: string;
  here: string;
}) {
  const entries = Object.entries(map);
  if (entries.length === 0) return <p className="muted">{here}: not taken from the provider.</p>;
  return (
    <SimpleTable label={here} head={[there, here]}>
      {entries.map(([from, to]) => (
        <tr key={from}>
          <td>
            <Foreign text={from} />
          </td>
          <td>
            <Foreign text={to} />
          </td>
        </tr>
      ))}
    </SimpleTable>
  );
}

function Actions({ provider }: { provider: Provider }) {
  const may = useMay();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'edit' | 'disable' | 'remove'>();
  const close = () => setOpen(undefined);
  const params = { id: provider.id };
  const enable = useAction('identity-providers', 'enable', { done: 'It is enabled.', loud: true });
  const disable = useAction('identity-providers', 'disable', { done: 'It is disabled.' });
  const remove = useAction('identity-providers', 'remove', { done: 'It is removed.' });
  return (
    <>
      {!provider.enabled && may('identity-providers', 'enable') && (
        <Button loading={enable.isPending} onClick={() => enable.mutate({ params })}>
          Enable
        </Button>
      )}
      {provider.source === 'admin' && may('identity-providers', 'update') && (
        <Button variant="default" onClick={() => setOpen('edit')}>
          Edit
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: 'Disable',
            run: () => setOpen('disable'),
            may: provider.enabled && may('identity-providers', 'disable'),
          },
          {
            label: 'Remove',
            run: () => setOpen('remove'),
            bad: true,
            may: may('identity-providers', 'remove'),
          },
        ]}
      />
      <EditProvider provider={provider} opened={open === 'edit'} onClose={close} />
      <ConfirmDestructive
        opened={open === 'disable'}
        onClose={close}
        title="Disable this identity provider"
        action="Disable"
        consequences={['Nobody signs in there any more. Who is signed in stays so.']}
        run={() => disable.mutateAsync({ params })}
      />
      <ConfirmDestructive
        opened={open === 'remove'}
        onClose={close}
        title="Remove this identity provider"
        action="Remove"
        typeName={provider.slug}
        consequences={['Nobody signs in there any more, for good. The accounts stay.']}
        run={async () => {
          await remove.mutateAsync({ params, ifMatch: provider.version });
          void navigate('/identity-providers');
        }}
      />
    </>
  );
}
