import { Button } from '@mantine/core';
import { ApiError } from '../api/client.ts';
import { CopyableId } from './CopyableId.tsx';
import styles from './parts.module.css';

/** What was wrong, under which trace id the log tells more, and a way on. */
export function ErrorState({
  error,
  retry,
  page = false,
}: {
  error: Error;
  retry?: () => void;
  /** It stands for a whole page, which has no other heading. */
  page?: boolean;
}) {
  const Heading = page ? 'h1' : 'h2';
  const missing = error instanceof ApiError && error.status === 404;
  return (
    <div className={styles.state} role="alert">
      <Heading>{missing ? 'There is nothing here' : 'This could not be loaded'}</Heading>
      <p className="muted">{error.message}</p>
      {error instanceof ApiError && error.traceId && (
        <p className="dim">
          trace <CopyableId value={error.traceId} />
        </p>
      )}
      {retry && (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
