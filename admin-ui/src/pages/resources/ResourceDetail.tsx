import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import { ActionMenu } from '../../parts/ActionMenu.tsx';
import { Status } from '../../parts/Chip.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { PageTabs } from '../../parts/PageTabs.tsx';
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
  const [open, setOpen] = useState<'edit' | 'disable' | 'delete'>();
  const close = () => setOpen(undefined);
  const params = { id: resource.id };
  const enable = useAction('resources', 'enable', { done: 'Tokens are issued again.', loud: true });
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
      {!resource.enabled && may('resources', 'enable') && (
        <Button loading={enable.isPending} onClick={() => enable.mutate({ params, body: {} })}>
          Enable
        </Button>
      )}
      {resource.source === 'admin' && may('resources', 'update') && (
        <Button variant="default" onClick={() => setOpen('edit')}>
          Edit
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: 'Disable',
            run: () => setOpen('disable'),
            may: resource.enabled && may('resources', 'disable'),
          },
          {
            label: 'Delete',
            run: () => setOpen('delete'),
            bad: true,
            may: resource.source !== 'builtin' && may('resources', 'remove'),
          },
        ]}
      />
      <EditResource resource={resource} opened={open === 'edit'} onClose={close} />
      <Endings resource={resource} open={open} onClose={close} />
    </>
  );
}

function Endings({
  resource,
  open,
  onClose,
}: {
  resource: ResourceDetail;
  open: 'edit' | 'disable' | 'delete' | undefined;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const params = { id: resource.id };
  const changes = ['grants', 'issuances', 'clients'] as const;
  const disable = useAction('resources', 'disable', { done: 'The resource is disabled.', changes });
  const remove = useAction('resources', 'remove', { done: 'The resource is deleted.', changes });
  const connections = `${resource.grants.toLocaleString('en')} connection${resource.grants === 1 ? '' : 's'}`;
  return (
    <>
      <ConfirmDestructive
        opened={open === 'disable'}
        onClose={onClose}
        title="Disable this resource"
        action="Disable"
        consequences={[`Stops new tokens for ${connections} until it is enabled again.`]}
        run={() => disable.mutateAsync({ params, body: {} })}
      />
      <ConfirmDestructive
        opened={open === 'delete'}
        onClose={onClose}
        title="Delete this resource"
        action="Delete"
        typeName={resource.slug}
        consequences={[
          `Ends ${connections} and every token for ${resource.uri}, for good.`,
          ...(resource.source === 'config'
            ? ['The configuration declares it: it is made again at the next start.']
            : []),
        ]}
        run={async () => {
          await remove.mutateAsync({ params, ifMatch: resource.version });
          void navigate('/resources');
        }}
      />
    </>
  );
}
