import type { Answer } from '../../api/types.ts';
import { Chip } from '../../parts/Chip.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { plainText } from '../../parts/foreign.ts';
import { SimpleTable } from '../../parts/layout.tsx';

import styles from './flows.module.css';

type Step = Answer<'flows', 'get'>['steps'][number];

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** Request by request, with the facts and the compatibility rules that were applied. */
export function Steps({ steps }: { steps: readonly Step[] }) {
  const seen = steps.filter(({ at }) => at !== null);
  if (seen.length === 0) return <p className="muted">Nothing has come yet.</p>;
  return (
    <SimpleTable
      stack
      label="What was sent and answered"
      head={['Time', 'Step', 'Request', 'Answer']}
    >
      {seen.map((step) => (
        <tr key={step.name}>
          <td className="mono">{step.at && clock.format(new Date(step.at))}</td>
          <td>{step.title}</td>
          <td>
            {step.request && <code>{plainText(step.request)}</code>}
            <Facts step={step} />
          </td>
          <td>
            {step.answer && (
              <Chip tone={step.state === 'failed' ? 'bad' : 'good'}>{plainText(step.answer)}</Chip>
            )}
            {step.note && <p className="dim">{plainText(step.note)}</p>}
          </td>
        </tr>
      ))}
    </SimpleTable>
  );
}

function Facts({ step }: { step: Step }) {
  return (
    <ul>
      {step.facts.map(({ name, value }) => (
        <li key={name} className="dim">
          <code>
            {plainText(name)}=<Foreign text={value} limit={160} />
          </code>
        </li>
      ))}
      {step.rules.length > 0 && (
        <li className={styles.applied}>
          {step.rules.map(({ name }) => (
            <Chip key={name} tone="accent">
              {plainText(name)}
            </Chip>
          ))}
        </li>
      )}
    </ul>
  );
}
