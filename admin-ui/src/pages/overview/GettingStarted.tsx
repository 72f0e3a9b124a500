import { Link } from 'react-router';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { TickIcon } from '../../parts/icons.tsx';
import styles from './overview.module.css';

type Step = Answer<'stats', 'overview'>['getting_started']['steps'][number];

/** The way to the first token; gone once there is one. */
export function GettingStarted({ steps }: { steps: readonly Step[] }) {
  const next = steps.find(({ done }) => !done);
  return (
    <Card
      title="Getting started"
      hint={`${steps.filter(({ done }) => done).length} of ${steps.length}`}
    >
      <ol className={styles.steps}>
        {steps.map(({ id, title, detail, done, link }, index) => (
          <li key={id} data-done={done || undefined} data-next={id === next?.id || undefined}>
            <span className={styles.mark} aria-hidden="true">
              {done ? <TickIcon size={14} /> : index + 1}
            </span>
            <div>
              <b>
                {done ? title : <Link to={link}>{title}</Link>}
                {done && <span className="visually-hidden"> (done)</span>}
              </b>
              <p className="muted">{detail}</p>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
