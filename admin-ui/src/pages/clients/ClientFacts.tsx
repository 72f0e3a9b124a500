import { Link } from 'react-router';
import { Card } from '../../parts/Card.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { JsonView } from '../../parts/JsonView.tsx';
import { Columns, Rows } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { grantName } from '../issuances/IssuanceTable.tsx';
import type { ClientDetail } from './client-form.ts';

const sources: Record<ClientDetail['source'], string> = {
  config: 'the configuration, which is where it is edited',
  admin: 'an operator',
  cli: 'the command line',
  registration: 'itself, by dynamic registration',
  document: 'its metadata document',
};

export function ClientFacts({ client }: { client: ClientDetail }) {
  return (
    <Rows>
      <Columns>
        <Card title="Who it is">
          <Identity client={client} />
        </Card>
        <Card title="What it may do">
          <Abilities client={client} />
        </Card>
      </Columns>
      {client.jwks && (
        <Card title="Public keys">
          <JsonView value={client.jwks} label="Public keys" />
        </Card>
      )}
    </Rows>
  );
}

function Identity({ client }: { client: ClientDetail }) {
  return (
    <Fields
      items={[
        ['client_id', <CopyableId key="id" value={client.client_id} limit={60} />],
        ['Name', <Foreign key="n" text={client.client_name} limit={200} />],
        ['Made by', sources[client.source]],
        ['Document', client.document_host && <DocumentAge client={client} />],
        ['Site', client.client_uri && <code>{client.client_uri}</code>],
        ['Contacts', client.contacts.length > 0 && <Foreign text={client.contacts.join(', ')} />],
        ['Software', [client.software_id, client.software_version].filter(Boolean).join(' ')],
        ['Secret', <Secret key="s" client={client} />],
        ['Created', <RelativeTime key="c" time={client.created_at} />],
        ['Changed', <RelativeTime key="u" time={client.updated_at} />],
        ['Last used', <RelativeTime key="l" time={client.last_used_at} />],
      ]}
    />
  );
}

function DocumentAge({ client }: { client: ClientDetail }) {
  return (
    <>
      fetched <RelativeTime time={client.document_fetched_at} />, again{' '}
      <RelativeTime time={client.document_expires_at} never="at its next use" />
    </>
  );
}

function Secret({ client }: { client: ClientDetail }) {
  if (!client.has_secret) return <span className="dim">none</span>;
  if (!client.old_secret_until) return 'set';
  return (
    <>
      set; the one before ends <RelativeTime time={client.old_secret_until} />
    </>
  );
}

function Abilities({ client }: { client: ClientDetail }) {
  return (
    <Fields
      items={[
        ['Sends back to', <Lines key="r" items={client.redirect_uris} />],
        ['Grant types', client.grant_types.map(grantName).join(', ')],
        ['Proves itself by', <code key="m">{client.token_endpoint_auth_method}</code>],
        ['Application', client.application_type],
        [
          'Resources',
          client.resources ? <Lines key="re" items={client.resources} /> : 'every resource',
        ],
        [
          'Most scopes',
          client.scope ? <ScopeList key="ms" scope={client.scope} most={50} /> : 'all',
        ],
        ['DPoP', client.dpop_bound_access_tokens ? 'required' : 'if it wants'],
        [
          'Pushed requests',
          client.require_pushed_authorization_requests ? 'required' : 'if it wants',
        ],
        [
          'Server of',
          client.resource_server_of.length > 0 && <Resources uris={client.resource_server_of} />,
        ],
        ['Rules applied', client.rules.length > 0 && <Lines key="ru" items={client.rules} />],
      ]}
    />
  );
}

function Lines({ items }: { items: readonly string[] }) {
  if (items.length === 0) return <span className="dim">none</span>;
  return (
    <ul>
      {items.map((item) => (
        <li key={item}>
          <code>
            <Foreign text={item} limit={120} />
          </code>
        </li>
      ))}
    </ul>
  );
}

function Resources({ uris }: { uris: readonly string[] }) {
  return (
    <ul>
      {uris.map((uri) => (
        <li key={uri}>
          <Link to={`/resources?${new URLSearchParams({ q: uri })}`}>
            <Foreign text={uri} limit={80} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
