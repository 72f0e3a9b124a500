import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { FormDialog, linesOf } from '../../parts/FormDialog.tsx';

/** Clients that may exchange a member's token for the one that the member has at the server (RFC 8693). */
export function GatewayClients({ server }: { server: Answer<'mcp-servers', 'get'> }) {
  const may = useMay();
  const [editing, setEditing] = useState(false);
  const update = useAction('mcp-servers', 'update', { done: 'The gateway clients are set.' });
  return (
    <Card
      title="Gateway clients"
      hint="They may exchange a member’s token for the token that this member has there."
      action={
        may('mcp-servers', 'update') && (
          <Button size="xs" variant="default" onClick={() => setEditing(true)}>
            Edit
          </Button>
        )
      }
    >
      {server.gateway_clients.length === 0 && <p className="muted">No client may.</p>}
      {server.gateway_clients.map((id) => (
        <div key={id}>
          <CopyableId value={id} limit={70} />
        </div>
      ))}
      <FormDialog
        opened={editing}
        onClose={() => setEditing(false)}
        title="Gateway clients"
        action="Save"
        initial={{ clients: server.gateway_clients.join('\n') }}
        submit={({ clients }) =>
          update.mutateAsync({
            params: { id: server.id },
            body: { gateway_clients: linesOf(clients) },
          })
        }
      >
        {({ values, set }) => (
          <Textarea
            label="client_id of each, one a line"
            description="Whoever is here acts at that server as any member who has connected and whose token it holds."
            rows={5}
            data-autofocus
            value={values.clients}
            onChange={(event) => set('clients', event.currentTarget.value)}
          />
        )}
      </FormDialog>
    </Card>
  );
}
