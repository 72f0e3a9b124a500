import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Link } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { eventName } from './event-name.ts';

type Letter = Answer<'audit', 'deadLetters'>['items'][number];

/** Events that the webhook's receiver did not take. */
export function DeadLetters() {
  const query = useAnswer('audit', 'deadLetters', { query: { limit: 100 } });
  return (
    <Card title="Events that the webhook could not deliver">
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="muted">Everything was delivered.</p>
          ) : (
            <SimpleTable
              label="Undelivered events"
              head={['Event', 'What the receiver said', 'Attempts', 'Given up', '']}
            >
              {items.map((letter) => (
                <LetterRow key={letter.id} letter={letter} />
              ))}
            </SimpleTable>
          )
        }
      </Loaded>
    </Card>
  );
}

function LetterRow({ letter }: { letter: Letter }) {
  const may = useMay();
  const retry = useAction('audit', 'retry', { loud: true });
  async function send() {
    const { delivered, reason } = await retry.mutateAsync({ params: { id: letter.id } });
    const message = delivered
      ? 'It was taken.'
      : `It was not taken: ${reason ?? 'no reason given'}`;
    notifications.show({ message, ...(!delivered && { color: 'red' }) });
  }
  return (
    <tr>
      <td>
        <Link to={`/audit?event=${letter.event_id}`}>{eventName(letter.type)}</Link>
      </td>
      <td>
        <Foreign text={letter.reason} limit={120} />
      </td>
      <td>{letter.attempts}</td>
      <td>
        <RelativeTime time={letter.failed_at} />
      </td>
      <td className="num">
        {may('audit', 'retry') && (
          <Button size="xs" variant="default" loading={retry.isPending} onClick={() => void send()}>
            Send again
          </Button>
        )}
      </td>
    </tr>
  );
}
