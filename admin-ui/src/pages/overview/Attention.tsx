import { Link } from 'react-router';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip, type Tone } from '../../parts/Chip.tsx';
import { plainText } from '../../parts/foreign.ts';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import styles from './overview.module.css';

type Item = Answer<'stats', 'overview'>['attention'][number];

const tones: Record<Item['severity'], Tone> = { critical: 'bad', warning: 'warn', info: 'plain' };
const words: Record<Item['severity'], string> = {
  critical: 'now',
  warning: 'soon',
  info: 'good to know',
};

/** What needs the operator, most urgent first. */
export function Attention({ items }: { items: readonly Item[] }) {
  return (
    <Card title="Needs you">
      <ul className={styles.attention}>
        {items.map(({ id, severity, title, detail, link, since }) => (
          <li key={id}>
            <Chip tone={tones[severity]}>{words[severity]}</Chip>
            <div>
              <b>{link ? <Link to={link}>{plainText(title)}</Link> : plainText(title)}</b>
              <p className="muted">{plainText(detail)}</p>
            </div>
            {since && (
              <span className="dim">
                <RelativeTime time={since} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
