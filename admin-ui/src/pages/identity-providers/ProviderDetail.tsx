import { useParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Columns, Rows, SimpleTable } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { madeIn, SwitchableActions } from '../../parts/Switchable.tsx';
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
        <SwitchableActions
          noun="identity-providers"
          row={provider}
          name="identity provider"
          disabling={['Nobody signs in there any more. Who is signed in stays so.']}
          removing={['Nobody signs in there any more, for good. The accounts stay.']}
          typeName={provider.slug}
          edit={(dialog) => <EditProvider provider={provider} {...dialog} />}
        />
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
                ['Made in', madeIn[provider.source]],
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
