import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Status } from '../../parts/Chip.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Rows, SimpleTable } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';
import { Prose } from '../../parts/Prose.tsx';

export type Diagnosed = Answer<'doctor', 'examine'>;
type Finding = Diagnosed['findings'][number];

const groups: Record<Finding['group'], string> = {
  server: 'This server',
  challenge: 'The challenge of the MCP server',
  resource_metadata: 'Metadata of the MCP server',
  resources: 'What is registered here',
  clients: 'How clients would get on',
};

const tones = { PASS: 'good', WARN: 'warn', FAIL: 'bad' } as const;
const order: Record<Finding['state'], number> = { FAIL: 0, WARN: 1, SKIP: 2, PASS: 3 };

/** What was found: first what has to be done, then group by group what is good. */
export function Diagnosis({ diagnosis }: { diagnosis: Diagnosed }) {
  const { verdict, findings } = diagnosis;
  const count = (state: Finding['state']) => findings.filter((one) => one.state === state).length;
  const good = findings.filter(({ state }) => state === 'PASS');
  const problems = findings
    .filter(({ state }) => state !== 'PASS')
    .toSorted((a, b) => order[a.state] - order[b.state]);
  const byGroup = Map.groupBy(good, ({ group }) => group);
  return (
    <Rows>
      <div role="status">
        <Note tone={tones[verdict]}>
          <b>{verdict}</b>
          {diagnosis.url && ` ${shorten(plainText(diagnosis.url), 90)}`}: {count('FAIL')} failed,{' '}
          {count('WARN')} to look at, {count('PASS')} passed in{' '}
          {(diagnosis.duration_ms / 1000).toFixed(1)} s.
        </Note>
      </div>
      {problems.length > 0 && (
        <Card title="What to do">
          <SimpleTable label="What to do">{problems.map(showProblem)}</SimpleTable>
        </Card>
      )}
      {[...byGroup].map(([group, found]) => (
        <Card key={group} title={groups[group]} hint={`${found.length} good`}>
          <SimpleTable label={groups[group]}>{found.map(showFinding)}</SimpleTable>
        </Card>
      ))}
    </Rows>
  );
}

function showFinding({ id, state, title, sentence }: Finding) {
  return (
    <tr key={id}>
      <td style={{ width: 76 }}>
        <Status value={state} />
      </td>
      <td>
        {plainText(title)}
        <p className="dim">{plainText(sentence)}</p>
      </td>
    </tr>
  );
}

function showProblem({ id, group, state, title, sentence, expected, fix, clients }: Finding) {
  return (
    <tr key={id}>
      <td style={{ width: 76 }}>
        <Status value={state} />
      </td>
      <td>
        <b>{plainText(title)}</b> <span className="dim">{groups[group]}</span>
        <p>{plainText(sentence)}</p>
        {expected && <p className="muted">Should be: {plainText(expected)}</p>}
        {fix && (
          <p>
            <b>Fix:</b> <Prose text={fix} />
          </p>
        )}
        {clients.length > 0 && <p className="dim">Trips: {clients.map(plainText).join(', ')}</p>}
      </td>
    </tr>
  );
}
