import { Link } from 'react-router';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip, type Tone } from '../../parts/Chip.tsx';
import { ClientLink, PersonLink } from '../../parts/ClientName.tsx';
import { ShortId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText } from '../../parts/foreign.ts';
import { JsonView } from '../../parts/JsonView.tsx';
import { Columns, Rows, SimpleTable } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';
import { Prose } from '../../parts/Prose.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';

export type Inspected = Answer<'inspector', 'inspect'>;

const verdicts: Record<Inspected['verdict'], { tone: Tone; words: string }> = {
  active: { tone: 'good', words: 'active' },
  inactive: { tone: 'bad', words: 'not active' },
  not_ours: { tone: 'warn', words: 'not ours' },
  unreadable: { tone: 'warn', words: 'cannot be read' },
};

export function Inspection({ inspection }: { inspection: Inspected }) {
  const { tone, words } = verdicts[inspection.verdict];
  return (
    <Rows>
      <div role="status">
        <Note tone={tone === 'bad' ? 'warn' : tone}>
          <b>{words}</b>: {plainText(inspection.summary)}
        </Note>
      </div>
      {inspection.reasons.length > 0 && <Reasons reasons={inspection.reasons} />}
      <Columns>
        <Card title="What was checked">
          <Checks checks={inspection.checks} />
        </Card>
        <Card title="Where it belongs">
          <Belongings inspection={inspection} />
        </Card>
      </Columns>
      {inspection.claims.length > 0 && <Claims claims={inspection.claims} />}
      {inspection.header && (
        <Card title="Header">
          <JsonView value={inspection.header} label="Header" />
        </Card>
      )}
    </Rows>
  );
}

function Reasons({ reasons }: { reasons: Inspected['reasons'] }) {
  return (
    <Card title="Why it is not active">
      <ul>
        {reasons.map(({ id, detail, at, link }) => (
          <li key={id}>
            {plainText(detail)} {at && <RelativeTime time={at} />}{' '}
            {link && <Link to={link}>Show</Link>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Checks({ checks }: { checks: Inspected['checks'] }) {
  return (
    <SimpleTable label="Checks">
      {checks.map(({ id, passed, detail }) => (
        <tr key={id}>
          <td style={{ width: 110 }}>
            <Chip tone={passed === null ? 'plain' : passed ? 'good' : 'bad'}>
              {id.replaceAll('_', ' ')}
            </Chip>
          </td>
          <td>
            {plainText(detail)}
            <span className="visually-hidden">{passed === false ? ' (failed)' : ''}</span>
          </td>
        </tr>
      ))}
    </SimpleTable>
  );
}

function Belongings({ inspection }: { inspection: Inspected }) {
  const { client, person, issuance_id, grant_id, flow_id } = inspection;
  return (
    <Fields
      items={[
        ['Kind', `${inspection.kind.replaceAll('_', ' ')}, ${inspection.format}`],
        ['Person', person && <PersonLink id={person.id} email={person.username} />],
        ['Client', client && <ClientLink id={client.id} name={client.name} />],
        ['Resource', inspection.resource && <Foreign text={inspection.resource} limit={80} />],
        ['Issuance', issuance_id && <IdLink key="i" to="/issuances" id={issuance_id} />],
        ['Grant', grant_id && <IdLink key="g" to="/grants" id={grant_id} />],
        ['Flow', flow_id && <IdLink key="f" to="/flows" id={flow_id} />],
      ]}
    />
  );
}

const IdLink = ({ to, id }: { to: string; id: string }) => (
  <Link to={`${to}/${encodeURIComponent(id)}`}>
    <ShortId value={id} limit={32} />
  </Link>
);

function Claims({ claims }: { claims: Inspected['claims'] }) {
  return (
    <Card title="What it says">
      <SimpleTable stack label="Claims" head={['Claim', 'Value', 'In words']}>
        {claims.map(({ name, value, shown, meaning }) => (
          <tr key={name}>
            <td>
              <code>{plainText(name)}</code>
            </td>
            <td>
              <code>
                <Foreign
                  text={typeof value === 'string' ? value : JSON.stringify(value)}
                  limit={200}
                />
              </code>
              {shown && (
                <p>
                  <Foreign text={shown} limit={200} />
                </p>
              )}
            </td>
            <td className="muted">
              <Prose text={meaning} />
            </td>
          </tr>
        ))}
      </SimpleTable>
    </Card>
  );
}
