import { Drawer } from '@mantine/core';
import { Link, useSearchParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Chip } from '../../parts/Chip.tsx';
import { ClientLink, PersonLink } from '../../parts/ClientName.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { JsonView } from '../../parts/JsonView.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { exactTime } from '../../parts/time.ts';
import { eventName } from './event-name.ts';

type Event = Answer<'audit', 'get'>;

/** The event that the address names. */
export function EventDrawer() {
  const [params, setParams] = useSearchParams();
  const id = params.get('event');
  function close() {
    setParams((before) => {
      const next = new URLSearchParams(before);
      next.delete('event');
      return next;
    });
  }
  return (
    <Drawer opened={id !== null} onClose={close} size="lg" title="Event">
      {id !== null && <Content id={id} />}
    </Drawer>
  );
}

function Content({ id }: { id: string }) {
  const query = useAnswer('audit', 'get', { params: { id } });
  return <Loaded query={query}>{(event) => <Facts event={event} />}</Loaded>;
}

function Facts({ event }: { event: Event }) {
  const { seal } = event;
  return (
    <Rows>
      <h2>{eventName(event.type)}</h2>
      <Fields
        items={[
          ['When', exactTime(new Date(event.at))],
          [
            'By',
            <Foreign key="a" text={[event.actor_kind, event.actor_id].join(' ')} limit={80} />,
          ],
          ['Person', <PersonLink key="p" id={event.user_id} email={event.username} />],
          ['Client', <ClientLink key="c" id={event.client_id} />],
          ['Resource', event.resource && <Foreign text={event.resource} limit={90} />],
          ['Address', event.ip],
          ['Browser', event.user_agent && <Foreign text={event.user_agent} limit={200} />],
          ['Trace', event.trace_id && <Trace id={event.trace_id} />],
          ['Id', <CopyableId key="i" value={event.id} />],
        ]}
      />
      <JsonView value={event.detail} label="Detail" />
      {seal ? (
        <Fields
          items={[
            [
              'Sealed',
              <Chip key="s" tone="good">{`number ${seal.seq}, block ${seal.block}`}</Chip>,
            ],
            ['Digest', <CopyableId key="d" value={seal.digest} />],
            [
              'Signed',
              <RelativeTime key="t" time={seal.signed_at} never="with the next checkpoint" />,
            ],
          ]}
        />
      ) : (
        <p className="muted">Not in the hash chain yet; that takes seconds.</p>
      )}
    </Rows>
  );
}

function Trace({ id }: { id: string }) {
  const query = new URLSearchParams({ trace_id: id });
  return (
    <>
      <CopyableId value={id} /> <Link to={`/audit?${query}`}>same request</Link>{' '}
      <Link to={`/flows?${query}`}>flow</Link>
    </>
  );
}
