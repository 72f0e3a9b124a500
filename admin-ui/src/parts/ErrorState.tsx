import { Button } from '@mantine/core';
import { ApiError } from '../api/client.ts';
import { CopyableId } from './CopyableId.tsx';
import styles from './parts.module.css';

/** What trying again does not change. */
const headings: Readonly<Record<number, string>> = {
  403: 'This page is not for you',
  404: 'There is nothing here',
};

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
  const status = error instanceof ApiError ? error.status : undefined;
  return (
    <div className={styles.state} role="alert">
      <Heading>{headings[status ?? 0] ?? 'This could not be loaded'}</Heading>
      <p className="muted">{error.message}</p>
      {error instanceof ApiError && error.traceId && (
        <p className="dim">
          trace <CopyableId value={error.traceId} />
        </p>
      )}
      {retry && !(status && status in headings) && (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
