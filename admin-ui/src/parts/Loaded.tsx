import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorState } from './ErrorState.tsx';
import styles from './parts.module.css';

/** What a query answers, once it does; before that grey bars, after a failure the reason and a way on. */
export function Loaded<T>({
  query,
  page = false,
  children,
}: {
  query: UseQueryResult<T>;
  /** Nothing else of the page is there before. */
  page?: boolean;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) {
    return <ErrorState page={page} error={query.error} retry={() => void query.refetch()} />;
  }
  return (
    <div className={styles.stack} aria-busy="true">
      <span className="visually-hidden">Loading</span>
      <Skeleton height={30} width={280} />
      <Skeleton height={180} />
      <Skeleton height={240} />
    </div>
  );
}
