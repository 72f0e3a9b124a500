import { shorten } from './foreign.ts';
import styles from './parts.module.css';

/** Scopes in mono; after `most` of them only how many more there are. */
export function ScopeList({
  scope,
  most = 3,
}: {
  scope: string | null | undefined;
  most?: number;
}) {
  const names = (scope ?? '').split(' ').filter(Boolean);
  if (names.length === 0) return <span className="dim">none</span>;
  const rest = names.slice(most);
  return (
    <span className={styles.scopes}>
      {names.slice(0, most).map((name) => (
        <code key={name} title={name}>
          {shorten(name, 40)}
        </code>
      ))}
      {rest.length > 0 && (
        <span className="dim" title={rest.join(' ')}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}
