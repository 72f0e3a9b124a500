import { Button } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAnswer } from '../../api/query.ts';
import { Status } from '../../parts/Chip.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { PageTabs } from '../../parts/PageTabs.tsx';
import { SwitchableActions } from '../../parts/Switchable.tsx';
import { AuditTable } from '../audit/AuditTable.tsx';
import { GrantTable } from '../grants/GrantTable.tsx';
import { IssuanceTable } from '../issuances/IssuanceTable.tsx';
import { EditResource } from './ResourceDialogs.tsx';
import { ResourceFacts } from './ResourceFacts.tsx';
import type { ResourceDetail } from './resource-form.ts';

export default function ResourcePage() {
  const { id = '' } = useParams();
  const query = useAnswer('resources', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(resource) => <Detail resource={resource} />}
    </Loaded>
  );
}

function Detail({ resource }: { resource: ResourceDetail }) {
  const ofResource = useMemo(() => ({ resource: resource.uri }), [resource.uri]);
  return (
    <>
      <PageHeader
        title={shorten(plainText(resource.display_name), 80)}
        back={{ to: '/resources', label: 'Resources' }}
        chips={<Status value={resource.enabled ? 'enabled' : 'disabled'} />}
      >
        <Actions resource={resource} />
      </PageHeader>
      <PageTabs
        label="Parts of this resource"
        tabs={[
          { id: 'about', label: 'About', content: () => <ResourceFacts resource={resource} /> },
          {
            id: 'grants',
            label: `Grants (${resource.grants})`,
            content: () => <GrantTable fixed={ofResource} />,
          },
          {
            id: 'issuances',
            label: 'Issuances',
            content: () => <IssuanceTable fixed={ofResource} />,
          },
          { id: 'audit', label: 'Audit log', content: () => <AuditTable fixed={ofResource} /> },
        ]}
      />
    </>
  );
}

function Actions({ resource }: { resource: ResourceDetail }) {
  const may = useMay();
  const connections = `${resource.grants.toLocaleString('en')} connection${resource.grants === 1 ? '' : 's'}`;
  return (
    <>
      {may('doctor', 'examine') && (
        <Button
          variant="default"
          component={Link}
          to={`/doctor?${new URLSearchParams({ url: resource.uri })}`}
          state={{ examine: true }}
        >
          Test this resource
        </Button>
      )}
      <SwitchableActions
        noun="resources"
        row={resource}
        name="resource"
        disabling={[`Stops new tokens for ${connections} until it is enabled again.`]}
        removing={[`Ends ${connections} and every token for ${resource.uri}, for good.`]}
        typeName={resource.slug}
        changes={['grants', 'issuances', 'clients']}
        edit={(dialog) => <EditResource resource={resource} {...dialog} />}
      />
    </>
  );
}
