import { Card } from '../../parts/Card.tsx';
import { Chip, Status } from '../../parts/Chip.tsx';
import { ClientLink } from '../../parts/ClientName.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText } from '../../parts/foreign.ts';
import { Columns, Rows, SimpleTable } from '../../parts/layout.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { madeIn } from '../../parts/Switchable.tsx';
import { duration } from '../../parts/time.ts';
import { claimWords } from './claims-form.ts';
import type { ResourceDetail } from './resource-form.ts';

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
      {(Object.keys(resource.claims).length > 0 || resource.claims_hook) && (
        <Card title="Further claims of its tokens">
          <Claims resource={resource} />
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
        ['Made in', madeIn[resource.source]],
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
  const { exchange } = resource;
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

function Claims({ resource: { claims, claims_hook: hook } }: { resource: ResourceDetail }) {
  const entries = Object.entries(claims);
  return (
    <Rows>
      {entries.length > 0 && (
        <SimpleTable stack label="Further claims" head={['Claim', 'Says']}>
          {entries.map(([name, source]) => (
            <tr key={name}>
              <td>
                <code>
                  <Foreign text={name} limit={80} />
                </code>
              </td>
              <td>
                <Foreign text={claimWords(source)} limit={200} />
              </td>
            </tr>
          ))}
        </SimpleTable>
      )}
      {hook && (
        <Fields
          items={[
            ['Then asked of', <CopyableId key="u" value={hook.url} limit={70} />],
            ['Wait at most', duration(hook.timeout)],
            [
              'Without an answer',
              hook.on_failure === 'deny'
                ? 'no token is issued'
                : 'a token without its claims is issued',
            ],
          ]}
        />
      )}
    </Rows>
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
