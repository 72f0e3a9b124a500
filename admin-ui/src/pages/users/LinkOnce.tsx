import type { Answer } from '../../api/types.ts';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { SecretOnce } from '../../parts/SecretOnce.tsx';

export type OneTimeLink = Answer<'users', 'resetLink'>;

/** A link that works once; who has it can set the password. */
export function LinkOnce({
  title,
  link,
  onClose,
}: {
  title: string;
  link: OneTimeLink | undefined;
  onClose: () => void;
}) {
  return (
    <SecretOnce title={title} label="Link" secret={link?.url} onClose={onClose}>
      {link && (
        <p className="muted">
          Whoever opens it sets the password. Hand it over in a way you trust; it works once and
          ends <RelativeTime time={link.expires_at} />.
        </p>
      )}
    </SecretOnce>
  );
}
