import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Row } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip } from '../../parts/Chip.tsx';
import { PersonLink } from '../../parts/ClientName.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';

type Credential = Row<'workspace-credentials'>;

/** The credentials of a workspace that work; members make them on their account pages. */
export function Credentials({ workspaceId }: { workspaceId: string }) {
  const may = useMay();
  const [ending, setEnding] = useState<Credential>();
  const query = useAnswer('workspace-credentials', 'list', {
    params: { id: workspaceId },
    query: { limit: 200, status: 'active' },
  });
  return (
    <Card
      title="Credentials"
      hint="Members make them on the page of the workspace in their account."
    >
      <Loaded query={query}>
        {({ items, next_cursor }) => (
          <>
            {items.length === 0 && <p className="muted">There is none.</p>}
            {items.length > 0 && (
              <SimpleTable
                stack
                label="Credentials"
                head={['Credential', 'Acts for', 'Resource', 'Last used', '']}
              >
                {items.map((credential) => (
                  <tr key={credential.id}>
                    <td>
                      {credential.kind === 'default' ? (
                        <Chip>default</Chip>
                      ) : (
                        <Foreign text={credential.label} />
                      )}
                      <div className="dim">
                        <code>{credential.id}</code>
                      </div>
                    </td>
                    <td data-label="Acts for">
                      <PersonLink id={credential.sub} email={credential.username} />
                    </td>
                    <td data-label="Resource">
                      <Foreign text={credential.resource} />
                    </td>
                    <td data-label="Last used">
                      <RelativeTime time={credential.last_used_at} />
                      <div className="dim">
                        made <RelativeTime time={credential.created_at} />
                      </div>
                    </td>
                    <td className="num">
                      {may('workspace-credentials', 'revoke') && (
                        <Button
                          size="xs"
                          variant="default"
                          aria-label={`Revoke the credential ${credential.id}`}
                          onClick={() => setEnding(credential)}
                        >
                          Revoke
                        </Button>
                      )}
                    </td>
                  </tr>
                ))}
              </SimpleTable>
            )}
            {next_cursor && <p className="dim">The latest 200 are shown.</p>}
          </>
        )}
      </Loaded>
      <RevokeDialog credential={ending} onClose={() => setEnding(undefined)} />
    </Card>
  );
}

function RevokeDialog({
  credential,
  onClose,
}: {
  credential: Credential | undefined;
  onClose: () => void;
}) {
  const revoke = useAction('workspace-credentials', 'revoke', {
    done: 'It works no more.',
    changes: ['issuances'],
  });
  const what =
    credential?.kind === 'default'
      ? 'the default credential'
      : `the credential of ${shorten(plainText(credential?.label ?? ''), 60)}`;
  return (
    <ConfirmDestructive
      opened={credential !== undefined}
      onClose={onClose}
      title="Revoke credential"
      action="Revoke"
      consequences={[`Ends ${what} and everything exchanged from it, at once and for good.`]}
      run={async () => {
        if (!credential) return;
        const params = { id: credential.workspace_id, credential_id: credential.id };
        await revoke.mutateAsync({ params });
      }}
    />
  );
}
