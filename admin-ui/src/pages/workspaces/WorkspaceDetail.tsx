import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { Credentials } from './Credentials.tsx';
import { Invitations } from './Invitations.tsx';
import { Members } from './Members.tsx';

type Workspace = Answer<'workspaces', 'get'>;

export default function WorkspacePage() {
  const { id = '' } = useParams();
  const query = useAnswer('workspaces', 'get', { params: { id } });
  return (
    <Loaded page query={query}>
      {(workspace) => <Detail workspace={workspace} />}
    </Loaded>
  );
}

function Detail({ workspace }: { workspace: Workspace }) {
  const may = useMay();
  const [renaming, setRenaming] = useState(false);
  const update = useAction('workspaces', 'update', { done: 'The workspace is renamed.' });
  return (
    <>
      <PageHeader
        title={shorten(plainText(workspace.name), 80)}
        back={{ to: '/workspaces', label: 'Workspaces' }}
      >
        {may('workspaces', 'update') && (
          <Button variant="default" onClick={() => setRenaming(true)}>
            Rename
          </Button>
        )}
      </PageHeader>
      <Rows>
        <Card>
          <Fields
            items={[
              ['Short name', <code key="s">{workspace.slug}</code>],
              ['Id (workspace_id)', <CopyableId key="i" value={workspace.id} limit={48} />],
              [
                'MCP servers',
                <Link key="m" to={`/mcp-servers?workspace_id=${workspace.id}`}>
                  those that it uses
                </Link>,
              ],
              ['Made by', workspace.source],
              ['Made', <RelativeTime key="c" time={workspace.created_at} />],
            ]}
          />
        </Card>
        <Members workspace={workspace} />
        <Invitations workspaceId={workspace.id} />
        <Credentials workspaceId={workspace.id} />
      </Rows>
      <FormDialog
        opened={renaming}
        onClose={() => setRenaming(false)}
        title="Rename workspace"
        action="Save"
        initial={{ name: workspace.name }}
        submit={(body) => update.mutateAsync({ params: { id: workspace.id }, body })}
      >
        {({ values, set }) => (
          <TextInput
            label="Name"
            required
            data-autofocus
            value={values.name}
            onChange={(event) => set('name', event.currentTarget.value)}
          />
        )}
      </FormDialog>
    </>
  );
}
