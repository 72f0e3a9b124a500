import { type ReactNode, useEffect } from 'react';
import { Link } from 'react-router';
import styles from './parts.module.css';

/** Heading of a page, which also names the browser's tab. */
export function PageHeader({
  title,
  name,
  back,
  chips,
  children,
}: {
  /** For the tab and, without `name`, the heading. */
  title: string;
  name?: ReactNode;
  back?: { to: string; label: string };
  chips?: ReactNode;
  /** Actions, at the right. */
  children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · authserver`;
  }, [title]);
  return (
    <header className={styles.pageHeader}>
      {back && (
        <Link className={styles.back} to={back.to}>
          ← {back.label}
        </Link>
      )}
      <div className={styles.pageTitle}>
        <h1>{name ?? title}</h1>
        {chips}
      </div>
      {children && <div className={styles.actions}>{children}</div>}
    </header>
  );
}
