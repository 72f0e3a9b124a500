import { Button, Radio, Stack } from '@mantine/core';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip, Status } from '../../parts/Chip.tsx';
import { ClientLink, PersonLink, WorkspaceLink } from '../../parts/ClientName.tsx';
import { CopyableId, ShortId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Columns } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { grantName } from './IssuanceTable.tsx';
import { type IssuanceWithLineage, Lineage } from './Lineage.tsx';

export default function IssuanceDetail() {
  const { id = '' } = useParams();
  const query = useAnswer('issuances', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(issuance) => <Detail issuance={issuance} />}
    </Loaded>
  );
}

function Detail({ issuance }: { issuance: IssuanceWithLineage }) {
  const may = useMay();
  const [open, setOpen] = useState(false);
  return (
    <>
      <PageHeader
        title="Issued token"
        name={<ShortId value={issuance.jti} limit={32} />}
        back={{ to: '/issuances', label: 'Issuances' }}
        chips={
          <>
            <Status value={issuance.status} />
            <Chip>{issuance.kind.replaceAll('_', ' ')}</Chip>
          </>
        }
      >
        {issuance.status === 'active' && may('issuances', 'revoke') && (
          <Button color="red" variant="outline" onClick={() => setOpen(true)}>
            Revoke
          </Button>
        )}
      </PageHeader>
      <Columns>
        <Card title="What it is">
          <Facts issuance={issuance} />
        </Card>
        <Card title="Where it came from">
          <Lineage issuance={issuance} />
        </Card>
      </Columns>
      <RevokeDialog issuance={issuance} opened={open} onClose={() => setOpen(false)} />
    </>
  );
}

function Facts({ issuance }: { issuance: IssuanceWithLineage }) {
  return (
    <Fields
      items={[
        ['For', <PersonLink key="p" id={issuance.sub} email={issuance.username} />],
        ['Client', <ClientLink key="c" id={issuance.client_id} />],
        ['Resource', <Foreign key="r" text={issuance.resource} limit={80} />],
        ['Scopes', <ScopeList key="s" scope={issuance.scope} most={50} />],
        ['Bought by', grantName(issuance.grant_type)],
        ['Type', issuance.token_type],
        ['DPoP key', issuance.jkt && <CopyableId value={issuance.jkt} />],
        ['Workspace', issuance.workspace_id && <WorkspaceLink id={issuance.workspace_id} />],
        [
          'Grant',
          issuance.grant_id && <Link to={`/grants/${issuance.grant_id}`}>{issuance.grant_id}</Link>,
        ],
        ['Authorization', issuance.family_id && <CopyableId value={issuance.family_id} />],
        ['Issued', <RelativeTime key="i" time={issuance.issued_at} />],
        ['Expires', <RelativeTime key="e" time={issuance.expires_at} />],
        ['Revoked', issuance.revoked_at && <RelativeTime time={issuance.revoked_at} />],
        ['jti', <CopyableId key="j" value={issuance.jti} />],
      ]}
    />
  );
}

function RevokeDialog({
  issuance,
  ...dialog
}: {
  issuance: IssuanceWithLineage;
  opened: boolean;
  onClose: () => void;
}) {
  const revoke = useAction('issuances', 'revoke', {
    done: 'It has ended.',
    changes: ['grants', 'tokens'],
  });
  const first: { extent: 'token' | 'authorization' } = {
    extent: issuance.kind === 'refresh_token' ? 'authorization' : 'token',
  };
  return (
    <FormDialog
      {...dialog}
      title="Revoke this token"
      action="Revoke"
      bad
      initial={first}
      submit={({ extent }) => revoke.mutateAsync({ params: { id: issuance.id }, body: { extent } })}
    >
      {({ values, set }) => (
        <Radio.Group
          label="What ends"
          value={values.extent}
          onChange={(value) => set('extent', value === 'token' ? 'token' : 'authorization')}
        >
          <Stack gap="sm" mt="xs">
            {issuance.kind !== 'refresh_token' && (
              <Radio
                value="token"
                label="This token"
                description="and everything that was exchanged from it, at any depth"
              />
            )}
            <Radio
              value="authorization"
              disabled={issuance.family_id === null}
              label="The whole authorization"
              description="refresh tokens too: the person has to connect the client again"
            />
          </Stack>
        </Radio.Group>
      )}
    </FormDialog>
  );
}
