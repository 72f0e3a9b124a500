import type { ReactNode } from 'react';
import styles from './parts.module.css';

const isAbsent = (value: ReactNode) =>
  value === null || value === undefined || value === '' || value === false;

/** What is known of one thing, name by name. An absent value says so instead of leaving a hole. */
export function Fields({
  items,
}: {
  items: readonly (readonly [name: string, value: ReactNode])[];
}) {
  return (
    <dl className={styles.fields}>
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{isAbsent(value) ? <span className="dim">—</span> : value}</dd>
        </div>
      ))}
    </dl>
  );
}
