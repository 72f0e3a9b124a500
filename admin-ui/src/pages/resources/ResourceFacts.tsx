import { Card } from '../../parts/Card.tsx';
import { Chip, Status } from '../../parts/Chip.tsx';
import { ClientLink } from '../../parts/ClientName.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText } from '../../parts/foreign.ts';
import { JsonView } from '../../parts/JsonView.tsx';
import { Columns, Rows, SimpleTable } from '../../parts/layout.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { duration } from '../../parts/time.ts';
import type { ResourceDetail } from './resource-form.ts';

const sources: Record<ResourceDetail['source'], string> = {
  admin: 'here, where it is edited',
  config: 'the configuration, which is where it is edited',
  builtin: 'this server itself',
};

export function ResourceFacts({ resource }: { resource: ResourceDetail }) {
  return (
    <Rows>
      <Columns>
        <Card title="What it is">
          <Identity resource={resource} />
        </Card>
        <Card title="Its tokens">
          <Tokens resource={resource} />
        </Card>
      </Columns>
      <Card title="Scopes">
        <Scopes resource={resource} />
      </Card>
      {resource.access.length > 0 && (
        <Card title="Who may consent to what">
          <Access resource={resource} />
        </Card>
      )}
      {Object.keys(resource.claims).length > 0 && (
        <Card title="Further claims of its tokens">
          <JsonView value={resource.claims} label="Further claims" />
        </Card>
      )}
    </Rows>
  );
}

function Identity({ resource }: { resource: ResourceDetail }) {
  return (
    <Fields
      items={[
        ['Address', <CopyableId key="u" value={resource.uri} limit={70} />],
        [
          'Aliases',
          resource.aliases.length > 0 &&
            resource.aliases.map((alias) => (
              <div key={alias}>
                <code>{alias}</code>
              </div>
            )),
        ],
        ['Short name', <code key="s">{resource.slug}</code>],
        ['Made in', sources[resource.source]],
        ['Metadata', <CopyableId key="m" value={resource.metadata_url} limit={60} />],
        [
          'Is the server',
          resource.bound_clients.length > 0 &&
            resource.bound_clients.map(({ client_id, client_name, status }) => (
              <div key={client_id}>
                <ClientLink id={client_id} name={client_name} /> <Status value={status} />
              </div>
            )),
        ],
        ['Workspaces', resource.workspace_scoped ? 'consent asks for one' : 'not asked for'],
      ]}
    />
  );
}

function Tokens({ resource }: { resource: ResourceDetail }) {
  const { exchange, claims_hook: hook } = resource;
  const exchangers = exchange?.clients.map(plainText).join(', ') || 'nobody';
  return (
    <Fields
      items={[
        ['Format', resource.token_format],
        ['Prefix', <code key="p">{resource.token_prefix}</code>],
        ['Lifetime', resource.access_ttl === null ? 'as for all' : duration(resource.access_ttl)],
        ['DPoP', resource.dpop],
        [
          'Default scopes',
          resource.default_scopes ? (
            <ScopeList key="ds" scope={resource.default_scopes.join(' ')} most={20} />
          ) : (
            'all'
          ),
        ],
        [
          'Token exchange',
          exchange
            ? `by ${exchangers}, ${exchange.consent === 'required' ? 'with consent' : 'without asking the person'}`
            : 'off',
        ],
        ['Claims are asked of', hook && <code>{hook.url}</code>],
      ]}
    />
  );
}

function Scopes({ resource }: { resource: ResourceDetail }) {
  return (
    <SimpleTable stack label="Scopes" head={['Scope', 'What it allows', 'Includes']}>
      {resource.scopes.map(({ name, description, implies }) => (
        <tr key={name}>
          <td>
            <code>
              <Foreign text={name} limit={60} />
            </code>{' '}
            {resource.default_scopes?.includes(name) && <Chip tone="accent">default</Chip>}
          </td>
          <td>
            <Foreign text={description} limit={300} />
          </td>
          <td data-label="Includes">
            <ScopeList scope={implies.join(' ')} most={10} />
          </td>
        </tr>
      ))}
    </SimpleTable>
  );
}

function Access({ resource }: { resource: ResourceDetail }) {
  return (
    <SimpleTable
      stack
      label="Access rules"
      head={['People', 'Groups', 'Workspace roles', 'Scopes']}
    >
      {resource.access.map((rule) => (
        <tr key={JSON.stringify(rule)}>
          <td data-label="People">
            <Foreign text={rule.users.join(', ')} limit={200} />
          </td>
          <td data-label="Groups">
            <Foreign text={rule.groups.join(', ')} limit={200} />
          </td>
          <td data-label="Workspace roles">
            <Foreign text={rule.workspace_roles.join(', ')} />
          </td>
          <td>
            <ScopeList scope={rule.scopes.join(' ')} most={20} />
          </td>
        </tr>
      ))}
    </SimpleTable>
  );
}
