import type { ReactNode } from 'react';
import styles from './parts.module.css';

/** Cards beside each other where there is room. */
export const Columns = ({ children }: { children: ReactNode }) => (
  <div className={styles.grid}>{children}</div>
);

/** One below the other. */
export const Rows = ({ children }: { children: ReactNode }) => (
  <div className={styles.stack}>{children}</div>
);

/**
 * A small table inside of a card; long ones are DataTables. With `stack` the cells of a row stand below
 * each other on a phone, each after its `data-label`.
 */
export function SimpleTable({
  head,
  label,
  stack,
  children,
}: {
  head?: readonly string[];
  label: string;
  stack?: boolean;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
    <section className={styles.scroll} tabIndex={0} aria-label={label}>
      <table className={styles.simpleTable} {...(stack && { 'data-stack': true })}>
        {head && (
          <thead>
            <tr>
              {head.map((name) => (
                <th key={name} scope="col">
                  {name || <span className="visually-hidden">Actions</span>}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
