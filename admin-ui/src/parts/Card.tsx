import type { ReactNode } from 'react';
import styles from './parts.module.css';

/** A box with a heading of the second level. */
export function Card({
  title,
  hint,
  action,
  children,
}: {
  title?: string;
  hint?: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles.card}>
      {title && (
        <div className={styles.cardHead}>
          <h2>
            {title}
            {hint && <small>{hint}</small>}
          </h2>
          {action}
        </div>
      )}
      {children}
    </section>
  );
}
