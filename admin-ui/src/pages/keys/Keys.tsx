import { Button, Checkbox } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { ConfirmDestructive } from '../../parts/Confirm.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows, SimpleTable } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { duration } from '../../parts/time.ts';

type List = Answer<'keys', 'list'>;
type Key = List['items'][number];

/** The keys that sign tokens: the one of now, the next, and those that are still published. */
export default function Keys() {
  const may = useMay();
  const query = useAnswer('keys', 'list');
  const [rotating, setRotating] = useState(false);
  return (
    <>
      <PageHeader title="Keys">
        {may('keys', 'rotate') && <Button onClick={() => setRotating(true)}>Rotate now</Button>}
      </PageHeader>
      <Loaded query={query}>{(list) => <Content list={list} />}</Loaded>
      <RotateDialog opened={rotating} onClose={() => setRotating(false)} />
    </>
  );
}

function Content({ list: { items, schedule } }: { list: List }) {
  const may = useMay();
  const [ending, setEnding] = useState<Key>();
  return (
    <Rows>
      <Card title="Published keys">
        <SimpleTable
          stack
          label="Published keys"
          head={['Key', 'State', 'Algorithm', 'Signs from', 'Signs until', 'Published until', '']}
        >
          {items.map((key) => (
            <tr key={key.id}>
              <td>
                <CopyableId value={key.kid} limit={14} />
              </td>
              <td>
                <Status value={key.state} />
              </td>
              <td>{key.alg}</td>
              <td data-label="Signs from">
                <RelativeTime time={key.signs_from} />
              </td>
              <td data-label="Signs until">
                <RelativeTime time={key.signs_until} never="—" />
              </td>
              <td data-label="Published until">
                <RelativeTime time={key.published_until} never="—" />
              </td>
              <td className="num">
                {may('keys', 'revoke') && (
                  <Button size="xs" variant="default" onClick={() => setEnding(key)}>
                    Withdraw
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </SimpleTable>
      </Card>
      <Card title="Rotation">
        <Fields
          items={[
            ['Next rotation', <RelativeTime key="n" time={schedule.next_rotation_at} never="—" />],
            ['Every', duration(schedule.rotate_every)],
            ['Published before it signs', duration(schedule.publish_before)],
            ['Published after it signed', duration(schedule.keep_retired_for)],
            ['Algorithm', schedule.algorithm],
          ]}
        />
      </Card>
      <RevokeDialog signingKey={ending} onClose={() => setEnding(undefined)} />
    </Rows>
  );
}

function RotateDialog(dialog: { opened: boolean; onClose: () => void }) {
  const rotate = useAction('keys', 'rotate', { done: 'The next key is published.' });
  return (
    <FormDialog
      {...dialog}
      title="Rotate the signing key"
      action="Rotate"
      initial={{ force: false }}
      submit={(body) => rotate.mutateAsync({ body })}
    >
      {({ values, set }) => (
        <>
          <p>
            A new key is published now and signs when resource servers had time to fetch it. Tokens
            that are out stay good.
          </p>
          <Checkbox
            label="Let it sign at once"
            checked={values.force}
            onChange={(event) => set('force', event.currentTarget.checked)}
          />
          {values.force && (
            <Note tone="warn">
              Resource servers that keep the key set refuse new tokens until they fetch it anew.
            </Note>
          )}
        </>
      )}
    </FormDialog>
  );
}

function RevokeDialog({
  signingKey,
  onClose,
}: {
  signingKey: Key | undefined;
  onClose: () => void;
}) {
  const revoke = useAction('keys', 'revoke', { done: 'The key is withdrawn.' });
  const kid = signingKey?.kid ?? '';
  return (
    <ConfirmDestructive
      opened={signingKey !== undefined}
      onClose={onClose}
      title="Withdraw this key"
      action="Withdraw"
      typeName={kid.slice(0, 8)}
      consequences={[
        'Every JWT that it signed is refused from now on.',
        ...(signingKey?.state === 'current' ? ['Another key signs first, at once.'] : []),
        'For when somebody else may know its private part.',
      ]}
      run={() => revoke.mutateAsync({ params: { id: kid } })}
    />
  );
}
