import { Link } from 'react-router';
import type { Answer } from '../../api/types.ts';
import { Status } from '../../parts/Chip.tsx';
import { ShortId } from '../../parts/CopyableId.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { grantName } from './IssuanceTable.tsx';
import styles from './lineage.module.css';

export type IssuanceWithLineage = Answer<'issuances', 'get'>;

/** From the first token of its chain down to this one, and how many came from it. */
export function Lineage({ issuance }: { issuance: IssuanceWithLineage }) {
  const { parents, children } = issuance;
  return (
    <>
      <ol className={styles.chain}>
        {parents.toReversed().map((parent) => (
          <li key={parent.id}>
            <Link to={`/issuances/${parent.id}`}>
              <ShortId value={parent.jti} limit={24} />
            </Link>{' '}
            <Status value={parent.status} />
            <p className="dim">
              {parent.kind.replaceAll('_', ' ')} by {grantName(parent.grant_type)},{' '}
              <RelativeTime time={parent.issued_at} />
            </p>
          </li>
        ))}
        <li aria-current="true">
          <ShortId value={issuance.jti} limit={24} /> <Status value={issuance.status} />
          <p className="dim">this token, by {grantName(issuance.grant_type)}</p>
        </li>
      </ol>
      <p className={styles.children}>
        {children === 0 ? (
          <span className="muted">No token came from it.</span>
        ) : (
          <Link to={`/issuances?${new URLSearchParams({ parent: issuance.jti })}`}>
            {children >= 1000 ? 'At least 1,000' : children} came from it
          </Link>
        )}
      </p>
    </>
  );
}
