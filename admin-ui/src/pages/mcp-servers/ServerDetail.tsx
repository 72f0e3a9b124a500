import { Button } from '@mantine/core';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { ActionMenu } from '../../parts/ActionMenu.tsx';
import { Card } from '../../parts/Card.tsx';
import { PersonById, WorkspaceLink } from '../../parts/ClientName.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { ConnectedMembers } from './ConnectedMembers.tsx';
import { GatewayClients } from './GatewayClients.tsx';
import { authTypes, ServerState } from './words.tsx';

type Server = Answer<'mcp-servers', 'get'>;

export default function ServerPage() {
  const { id = '' } = useParams();
  const query = useAnswer('mcp-servers', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(server) => <Detail server={server} />}
    </Loaded>
  );
}

function Detail({ server }: { server: Server }) {
  return (
    <>
      <PageHeader
        title={shorten(plainText(server.name), 80)}
        back={{ to: '/mcp-servers', label: 'MCP servers' }}
        chips={<ServerState server={server} />}
      >
        <Actions server={server} />
      </PageHeader>
      <Rows>
        <Facts server={server} />
        <ConnectedMembers serverId={server.id} />
        <GatewayClients server={server} />
      </Rows>
    </>
  );
}

function Facts({ server }: { server: Server }) {
  const headers = server.header_names.map((name) => (
    <div key={name}>
      <code>{plainText(name)}</code>
    </div>
  ));
  return (
    <Card>
      <Fields
        items={[
          ['URL', <CopyableId key="u" value={server.url} limit={70} />],
          ['Workspace', <WorkspaceLink key="w" id={server.workspace_id} />],
          ['Members sign in with', authTypes[server.auth_type]],
          ['OAuth client there', <Foreign key="o" text={server.oauth_client_id} />],
          ['Scopes asked for', <Foreign key="s" text={server.oauth_scopes} />],
          ['Headers sent too', headers.length > 0 ? headers : 'none'],
          ['Id', <CopyableId key="i" value={server.id} limit={48} />],
          ['UUID', <CopyableId key="d" value={server.uuid} limit={48} />],
          ['Added by', <PersonById key="b" id={server.created_by} />],
          ['Added', <RelativeTime key="c" time={server.created_at} />],
          ['Changed', <RelativeTime key="t" time={server.updated_at} />],
        ]}
      />
    </Card>
  );
}

function Actions({ server }: { server: Server }) {
  const may = useMay();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'disable' | 'clear' | 'remove'>();
  const close = () => setOpen(undefined);
  const params = { id: server.id };
  const disable = useAction('mcp-servers', 'disable', { done: 'It is disabled.' });
  const remove = useAction('mcp-servers', 'remove', { done: 'It is deleted.' });
  const name = shorten(plainText(server.name), 60);
  return (
    <>
      {server.enabled && may('mcp-servers', 'disable') && (
        <Button color="red" variant="outline" onClick={() => setOpen('disable')}>
          Disable
        </Button>
      )}
      <ActionMenu
        items={[
          {
            label: 'Forget our registration',
            run: () => setOpen('clear'),
            may: server.auth_type === 'oauth' && may('mcp-servers', 'disable'),
          },
          {
            label: 'Delete',
            run: () => setOpen('remove'),
            bad: true,
            may: may('mcp-servers', 'remove'),
          },
        ]}
      />
      <ConfirmDestructive
        opened={open === 'disable'}
        onClose={close}
        title="Disable this server"
        action="Disable"
        consequences={[
          `Nobody reaches ${name} through the workspace, and no token for it is handed out. Connections are kept; members can enable it again.`,
        ]}
        run={() => disable.mutateAsync({ params, body: { clear_registration: false } })}
      />
      <ConfirmDestructive
        opened={open === 'clear'}
        onClose={close}
        title="Forget our registration"
        action="Disable and forget"
        consequences={[
          'Disables it and forgets the client that we are there.',
          'Ends every connection made with it; members connect again.',
        ]}
        run={() => disable.mutateAsync({ params, body: { clear_registration: true } })}
      />
      <ConfirmDestructive
        opened={open === 'remove'}
        onClose={close}
        title="Delete this server"
        action="Delete"
        typeName={name}
        consequences={['Ends every connection of its members. It cannot be brought back.']}
        run={async () => {
          await remove.mutateAsync({ params });
          void navigate('/mcp-servers');
        }}
      />
    </>
  );
}
