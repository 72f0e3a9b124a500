import { Radio, Stack } from '@mantine/core';
import { useState } from 'react';
import { useAction } from '../../api/query.ts';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { SecretOnce } from '../../parts/SecretOnce.tsx';
import type { ClientDetail } from './client-form.ts';

/** A new secret, shown once; the old one may be good for another day. */
export function RotateSecret({
  client,
  opened,
  onClose,
}: {
  client: ClientDetail;
  opened: boolean;
  onClose: () => void;
}) {
  const rotate = useAction('clients', 'rotateSecret');
  const [made, setMade] = useState<{ secret: string; until: string | null }>();
  const first: { old_secret: 'overlap' | 'end' } = { old_secret: 'overlap' };
  return (
    <>
      <FormDialog
        opened={opened}
        onClose={onClose}
        title="Rotate the secret"
        action="Make a new secret"
        initial={first}
        submit={async (body) => {
          const answer = await rotate.mutateAsync({ params: { id: client.id }, body });
          setMade({ secret: answer.client_secret, until: answer.old_secret_until });
        }}
      >
        {({ values, set }) => (
          <Radio.Group
            label="The secret of now"
            value={values.old_secret}
            onChange={(value) => set('old_secret', value === 'end' ? 'end' : 'overlap')}
          >
            <Stack gap="sm" mt="xs">
              <Radio
                value="overlap"
                label="is good for another day"
                description="so that the client can be changed without a gap"
              />
              <Radio value="end" label="ends at once" description="when somebody may know it" />
            </Stack>
          </Radio.Group>
        )}
      </FormDialog>
      <SecretOnce
        title="The new secret"
        label="Client secret"
        secret={made?.secret}
        onClose={() => setMade(undefined)}
      >
        {made?.until && (
          <p className="muted">
            The old one ends <RelativeTime time={made.until} />.
          </p>
        )}
      </SecretOnce>
    </>
  );
}
