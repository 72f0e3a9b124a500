import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { Link, useParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip, Status } from '../../parts/Chip.tsx';
import { ClientLink, PersonLink } from '../../parts/ClientName.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Provenance } from '../../parts/Provenance.tsx';
import { ScopeList } from '../../parts/ScopeList.tsx';
import { exactTime } from '../../parts/time.ts';
import { Difference } from './Difference.tsx';
import { Fixes } from './Fixes.tsx';
import { Funnel } from './Funnel.tsx';
import styles from './flows.module.css';
import { Steps } from './Steps.tsx';

export type Flow = Answer<'flows', 'get'>;

export default function FlowPage() {
  const { id = '' } = useParams();
  const [open, setOpen] = useState(false);
  const query = useAnswer('flows', 'get', { params: { id } }, { refetchInterval: open && 4_000 });
  const status = query.data?.status;
  useEffect(() => setOpen(status === 'open'), [status]);
  return (
    <Loaded page query={query}>
      {(flow) => <Detail flow={flow} />}
    </Loaded>
  );
}

function Detail({ flow }: { flow: Flow }) {
  const client = shorten(plainText(flow.client_name ?? flow.client_id ?? 'Unknown client'), 50);
  const resource = shorten(plainText(flow.resource_name ?? flow.resource ?? 'no resource'), 60);
  const failed = flow.steps.find(({ state }) => state === 'failed');
  return (
    <>
      <PageHeader
        title={`${client} → ${resource}`}
        back={{ to: '/flows', label: 'Flows' }}
        chips={
          failed ? (
            <Chip tone="bad">{`failed at ${failed.title}`}</Chip>
          ) : (
            <Status value={flow.status} />
          )
        }
      >
        <CopyTrace flow={flow} />
      </PageHeader>
      <Rows>
        <Card>
          <p className={styles.lead}>
            trace <CopyableId value={flow.trace_id} /> · {exactTime(new Date(flow.created_at))}
            {flow.attempts > 1 && ` · ${flow.attempts.toLocaleString('en')} attempts`}
            {flow.duration_ms >= 1000 && ` · ${(flow.duration_ms / 1000).toFixed(1)} s in all`}
          </p>
          <Funnel steps={flow.steps} open={flow.status === 'open'} />
          {failed && <Problem step={failed} />}
          <Fixes flow={flow} />
        </Card>
        <Card title="Who and what">
          <Facts flow={flow} />
        </Card>
        <Card title="What was sent and answered">
          <Steps steps={flow.steps} />
        </Card>
      </Rows>
    </>
  );
}

/** The whole of it as JSON, for a ticket; there is no secret in it. */
function CopyTrace({ flow }: { flow: Flow }) {
  const { copied, copy } = useClipboard({ timeout: 1500 });
  return (
    <Button variant="default" onClick={() => copy(JSON.stringify(flow, null, 2))}>
      {copied ? 'Copied' : 'Copy trace'}
    </Button>
  );
}

function Problem({ step }: { step: Flow['steps'][number] }) {
  return (
    <>
      <h2 className={styles.problem}>
        <Foreign text={step.sentence ?? step.error} limit={400} />
      </h2>
      {step.differences.map((difference) => (
        <Difference key={difference.what} difference={difference} />
      ))}
    </>
  );
}

function Rules({ rules }: { rules: Flow['steps'][number]['rules'] }) {
  return (
    <ul className={styles.rules}>
      {rules.map(({ name, reason }) => (
        <li key={name}>
          <Chip tone="accent">{plainText(name)}</Chip> <Foreign text={reason} limit={200} />
        </li>
      ))}
    </ul>
  );
}

function Facts({ flow }: { flow: Flow }) {
  const rules = [
    ...new Map(
      flow.steps.flatMap((step) => step.rules).map((rule) => [rule.name, rule] as const),
    ).values(),
  ];
  return (
    <Fields
      items={[
        [
          'Client',
          <span key="c">
            <ClientLink id={flow.client_id} name={flow.client_name} />{' '}
            <Provenance kind={flow.client_kind} />
          </span>,
        ],
        ['Person', <PersonLink key="p" id={flow.sub} email={flow.username} />],
        ['Resource', flow.resource && <Foreign text={flow.resource} limit={120} />],
        ['Scopes', flow.scope && <ScopeList scope={flow.scope} most={50} />],
        ['Sends back to', flow.redirect_host && <code>{plainText(flow.redirect_host)}</code>],
        ['Compatibility rules', rules.length > 0 && <Rules key="u" rules={rules} />],
        [
          'All of its requests',
          <span key="t" className={styles.traces}>
            {flow.trace_ids.map((trace) => (
              <Link key={trace} to={`/audit?${new URLSearchParams({ trace_id: trace })}`}>
                <code>{trace}</code>
              </Link>
            ))}
          </span>,
        ],
      ]}
    />
  );
}
